"""The share of a map on the flower, with segmentations drawn here."""

import io

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.crops import crop_photo
from flowers_core.data.photos import read_photo
from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.metrics.localization import (
    BACKGROUND,
    has_masks,
    mask_of,
    mask_path,
    read_mask,
    share_on_flower,
)


def explanation(contributions, box, size) -> Explanation:
    return Explanation("any", ClassTarget(1), np.asarray(contributions, np.float32), 0.0, "logit", box, size, 0.0)


def test_a_mask_is_read_from_its_jpeg(tmp_path):
    pixels = np.full((60, 80, 3), BACKGROUND, np.uint8)
    pixels[20:40, 10:50] = (200, 180, 30)
    path = mask_path(tmp_path, 7)
    assert path.name == "segmim_00007.jpg"
    path.parent.mkdir()
    Image.fromarray(pixels).save(path, quality=90)
    mask = read_mask(path)
    expected = np.zeros((60, 80), bool)
    expected[20:40, 10:50] = True
    assert (mask == expected).mean() > 0.97


def test_empty_missing_and_broken_masks_are_none(tmp_path):
    empty = tmp_path / "empty.jpg"
    Image.new("RGB", (40, 30), BACKGROUND).save(empty)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    assert [read_mask(path) for path in (empty, broken, tmp_path / "none.jpg")] == [None] * 3


def test_share_by_hand():
    """A photo of 8 × 4 of which the model sees the middle 4 × 4."""
    mask = np.zeros((4, 8), bool)
    mask[:, :4] = True  # the left half of the photo, and of what is seen
    cells = np.array([[3.0, 1.0, -5.0, 0.0]] * 4)
    found = share_on_flower(explanation(cells, (2.0, 0.0, 6.0, 4.0), (8, 4)), mask)
    assert found.heat == pytest.approx(1.0)
    assert found.area == pytest.approx(0.5)
    assert found.ratio == pytest.approx(2.0)
    flat = share_on_flower(explanation(np.ones((4, 4)), (2.0, 0.0, 6.0, 4.0), (8, 4)), mask)
    assert flat.ratio == pytest.approx(1.0)
    away = share_on_flower(explanation(cells[:, ::-1], (2.0, 0.0, 6.0, 4.0), (8, 4)), mask)
    assert away.heat == 0


def test_the_mask_of_a_photo_and_of_a_part_of_it(tmp_path):
    pixels = np.full((60, 80, 3), BACKGROUND, np.uint8)
    pixels[20:40, 10:50] = (200, 180, 30)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    photo = read_photo(buffer.getvalue())
    assert not has_masks(tmp_path)
    assert mask_of(tmp_path, 7, photo) is None
    mask_path(tmp_path, 7).parent.mkdir()
    Image.fromarray(pixels).save(mask_path(tmp_path, 7), "PNG")
    assert has_masks(tmp_path)
    assert mask_of(tmp_path, 7, photo).sum() == 20 * 40
    # Of the part, columns 40…79 and rows 30…59: the flower is its upper left 10 × 10.
    part = mask_of(tmp_path, 7, crop_photo(photo, (40, 30, 80, 60)))
    assert part.shape == (30, 40)
    assert part[:10, :10].all()
    assert part.sum() == 100
    Image.fromarray(pixels[:, :70]).save(mask_path(tmp_path, 7), "PNG")
    assert mask_of(tmp_path, 7, photo) is None


def test_nothing_to_share_is_none_and_sizes_must_fit():
    mask = np.zeros((4, 8), bool)
    mask[:, 7] = True  # outside what the model saw
    frame = ((2.0, 0.0, 6.0, 4.0), (8, 4))
    assert share_on_flower(explanation(np.ones((4, 4)), *frame), mask) is None
    assert share_on_flower(explanation(-np.ones((4, 4)), *frame), ~mask) is None
    with pytest.raises(ValueError, match="does not fit"):
        share_on_flower(explanation(np.ones((4, 4)), *frame), mask[:, :6])
