"""ROAD: what is filled in, and what the two orders make of it, by hand."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.metrics.road import FRACTIONS, NOISE, imputed, removed, road_gap

SIZE = 20


def test_one_pixel_is_the_weighted_mean_of_its_neighbours():
    pixels = np.zeros((3, 3, 1))
    pixels[:2, :, 0] = (12, 6, 12), (6, 255, 0)
    gone = np.zeros((3, 3), bool)
    gone[1, 1] = True
    # Corners weigh 1/12, sides 1/6: (12 + 12) / 12 + (6 + 6) / 6.
    assert imputed(pixels, gone)[1, 1, 0] == pytest.approx(4)
    # At the corner of the photo three neighbours share the weight: (0/6 + 0/6 + 255/12) / (5/12).
    pixels[0, 1] = pixels[1, 0] = 0
    gone[:] = False
    gone[0, 0] = True
    assert imputed(pixels, gone)[0, 0, 0] == pytest.approx(255 / 5)


def test_a_hole_in_an_even_slope_is_filled_without_a_trace():
    """The slope is the solution of the equations, so it comes back."""
    slope = np.broadcast_to(np.arange(SIZE)[:, None, None] * 10.0, (SIZE, SIZE, 3))
    gone = np.zeros((SIZE, SIZE), bool)
    gone[5:15, 4:12] = True
    np.testing.assert_allclose(imputed(np.where(gone[..., None], 0, slope), gone), slope, atol=1e-9)
    np.testing.assert_array_equal(imputed(slope, np.zeros_like(gone)), slope)
    with pytest.raises(ValueError, match="Nothing of the photo stays"):
        imputed(slope, np.ones_like(gone))


def test_noise_is_on_what_is_filled_in_alone():
    grey = np.full((200, 200, 3), 128, np.uint8)
    gone = np.zeros((200, 200), bool)
    gone[:, :100] = True
    found = removed(grey, gone, np.random.default_rng(0)).astype(float)
    assert (found[:, 100:] == 128).all()
    # Rounding to whole grey levels adds 1/12 to the variance.
    assert found[:, :100].std() == pytest.approx(np.sqrt(NOISE**2 + 1 / 12), rel=0.02)


def test_the_gap_of_the_right_and_of_the_wrong_order():
    """The probability is the mean red of the left half, of 255. A photo all red there is green on the right."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[:, :10, 0] = 255
    pixels[:, 10:, 1] = 255

    def left_red(batch):
        share = np.clip(batch[:, :, :10, 0].mean(axis=(1, 2)) / 255, 1e-9, 1 - 1e-9)
        return np.log(np.column_stack([1 - share, share]))

    right = np.zeros((SIZE, SIZE))
    right[:, :10] = np.arange(10, 0, -1)  # from the left edge inwards, then the other half row by row
    # The lowest half is the right one: the left stays whole. Of the highest tenths all that is filled in is red from
    # its neighbours, until at 0.5 nothing red is left.
    kept = [1, 1, 1]
    gone = [left_red(removed(pixels, right >= lowest, np.random.default_rng(1))[None])[0] for lowest in (9, 5, 1)]
    shares = [float(np.exp(logits[1])) for logits in gone]
    assert shares[0] > 0.98
    assert shares[1] > 0.98
    assert shares[2] < 0.02
    expected = np.mean(kept) - np.mean(shares)
    assert road_gap(left_red, pixels, right, ClassTarget(2)) == pytest.approx(expected, abs=0.01)
    assert road_gap(left_red, pixels, -right, ClassTarget(2)) == pytest.approx(-expected, abs=0.01)
    assert FRACTIONS == (0.1, 0.3, 0.5)
