"""Frames lie around their positions, in colours that say which belong together."""

import numpy as np

from flowers_core.explain.frames import COLOURS, draw_frames

GREY = np.full((100, 120, 3), 128, np.uint8)


def test_a_frame_lies_around_its_position() -> None:
    # Two by two positions over x 20…100, y 10…90: position (1, 0) covers x 20…60, y 50…90.
    drawn = draw_frames(GREY, [(1, 0)], (2, 2), (20.0, 10.0, 100.0, 90.0))
    changed = np.argwhere((drawn != GREY).any(axis=2))
    np.testing.assert_array_equal([changed.min(axis=0), changed.max(axis=0)], [[50, 20], [90, 60]])
    assert (drawn[80, 35:50] == 128).all(), "the inside stays free"
    np.testing.assert_array_equal(drawn[75, 22], COLOURS[0])
    assert (GREY == 128).all()


def test_the_same_number_has_the_same_colour_on_both_photos() -> None:
    box = (0.0, 0.0, 120.0, 100.0)
    one = draw_frames(GREY, [(0, 0), (1, 2)], (2, 3), box)
    other = draw_frames(GREY, [(1, 1), (0, 0)], (2, 3), box)
    np.testing.assert_array_equal(one[90, 82], COLOURS[1])
    np.testing.assert_array_equal(other[40, 2], COLOURS[1])
    # And the same number in the corner: the first position here is the second one there.
    assert (one[:22, :14] != other[:22, :14]).any()
