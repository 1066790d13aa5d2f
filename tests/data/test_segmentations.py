"""Oxford's segmentations, drawn here."""

import io

import numpy as np
from PIL import Image

from flowers_core.data.crops import crop_photo
from flowers_core.data.photos import read_photo
from flowers_core.data.segmentations import (
    BACKGROUND,
    flower_mask,
    has_segmentations,
    read_segmentation,
    segmentation_path,
)


def test_a_mask_is_read_from_its_jpeg(tmp_path):
    pixels = np.full((60, 80, 3), BACKGROUND, np.uint8)
    pixels[20:40, 10:50] = (200, 180, 30)
    path = segmentation_path(tmp_path, 7)
    assert path.name == "segmim_00007.jpg"
    path.parent.mkdir()
    Image.fromarray(pixels).save(path, quality=90)
    mask = read_segmentation(path)
    expected = np.zeros((60, 80), bool)
    expected[20:40, 10:50] = True
    assert (mask == expected).mean() > 0.97


def test_empty_missing_and_broken_masks_are_none(tmp_path):
    empty = tmp_path / "empty.jpg"
    Image.new("RGB", (40, 30), BACKGROUND).save(empty)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    assert [read_segmentation(path) for path in (empty, broken, tmp_path / "none.jpg")] == [None] * 3


def test_the_mask_of_a_photo_and_of_a_part_of_it(tmp_path):
    pixels = np.full((60, 80, 3), BACKGROUND, np.uint8)
    pixels[20:40, 10:50] = (200, 180, 30)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    photo = read_photo(buffer.getvalue())
    assert not has_segmentations(tmp_path)
    assert flower_mask(tmp_path, 7, photo) is None
    segmentation_path(tmp_path, 7).parent.mkdir()
    Image.fromarray(pixels).save(segmentation_path(tmp_path, 7), "PNG")
    assert has_segmentations(tmp_path)
    assert flower_mask(tmp_path, 7, photo).sum() == 20 * 40
    # Of the part, columns 40…79 and rows 30…59: the flower is its upper left 10 × 10.
    part = flower_mask(tmp_path, 7, crop_photo(photo, (40, 30, 80, 60)))
    assert part.shape == (30, 40)
    assert part[:10, :10].all()
    assert part.sum() == 100
    Image.fromarray(pixels[:, :70]).save(segmentation_path(tmp_path, 7), "PNG")
    assert flower_mask(tmp_path, 7, photo) is None
