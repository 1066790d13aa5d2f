"""Parts of a photo, and which of them stands for the others."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import MIN_SIDE
from flowers_core.inference.multi_crop import MAX_CROPS, consensus_scores, crop_boxes, crop_inputs

BOXES = [(0, 0, 10, 10), (5, 0, 15, 10), (0, 5, 10, 15), (5, 5, 15, 15), (10, 10, 20, 20), (3, 3, 13, 13)]


def test_parts_of_a_square_photo() -> None:
    """Sides 70 and 45; next ones at most 38.5 and 24.75 further: two and four to a row."""
    boxes = crop_boxes(100, 100)
    assert Counter(right - left for left, _, right, _ in boxes) == {70: 4, 45: 16}
    assert boxes[:4] == [(0, 0, 70, 70), (30, 0, 100, 70), (0, 30, 70, 100), (30, 30, 100, 100)]
    assert {left for left, _, right, _ in boxes if right - left == 45} == {0, 18, 37, 55}


def test_the_ends_of_a_wide_photo_get_parts_as_high_as_it_is() -> None:
    highest = [box for box in crop_boxes(300, 100) if box[3] - box[1] == 100]
    assert highest == [(0, 0, 100, 100), (50, 0, 150, 100), (100, 0, 200, 100), (150, 0, 250, 100), (200, 0, 300, 100)]


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (1000, 90), (4000, 3000), (90, 4000), (30, 30), (16, 20)])
def test_parts_are_squares_in_the_photo_and_leave_nothing_out(size: tuple[int, int]) -> None:
    boxes = crop_boxes(*size)
    assert 0 < len(boxes) <= MAX_CROPS
    assert len(set(boxes)) == len(boxes)
    sides: dict[int, np.ndarray] = {}
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        assert right - left == bottom - top >= MIN_SIDE
        sides.setdefault(right - left, np.zeros(size[::-1], bool))[top:bottom, left:right] = True
    assert all(covered.all() for covered in sides.values())


def test_a_photo_as_small_as_a_flower_can_be_judged_by_has_no_parts() -> None:
    assert crop_boxes(MIN_SIDE, MIN_SIDE) == []


def test_a_part_is_seen_as_the_photo_cut_out_there_is_seen() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    boxes, rule = crop_boxes(120, 90), CropRule(64)
    seen = crop_inputs(pixels, boxes, rule)
    assert seen.shape == (len(boxes), 64, 64, 3)
    for (left, top, right, bottom), view in zip(boxes, seen, strict=True):
        np.testing.assert_array_equal(view, model_input(pixels[top:bottom, left:right].copy(), rule).pixels)


def test_parts_of_a_large_photo_are_seen_as_well_when_it_is_shrunk_first() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    pixels = np.asarray(Image.fromarray(noise).resize((1600, 1200), Image.Resampling.BICUBIC))
    boxes, rule = crop_boxes(1600, 1200), CropRule(64)
    for (left, top, right, bottom), view in zip(boxes, crop_inputs(pixels, boxes, rule), strict=True):
        exact = model_input(pixels[top:bottom, left:right].copy(), rule).pixels
        assert np.abs(view.astype(int) - exact).mean() < 3


def test_a_crop_stands_for_the_others_by_confidence_and_overlap() -> None:
    """Two boxes that share a third, and one apart: overlaps 4/3, 4/3 and 1; log-odds of 0.8, 0.9 and 0.98."""
    scores = consensus_scores(np.array([0.8, 0.9, 0.98]), [BOXES[0], BOXES[1], (20, 20, 30, 30)])
    assert scores == pytest.approx([np.log(4) * 4 / 3, np.log(9) * 4 / 3, np.log(49)])
