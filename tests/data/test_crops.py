"""A part of a photo: what it shows, what it is called, and what cannot be one."""

import io

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.crops import crop_photo, squared
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import MAX_SIDE, MIN_SIDE, Photo, PhotoError, read_photo


def photo(width: int = 96, height: int = 64) -> Photo:
    """Every pixel says where it is: red is its column, green its row."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x % 256, y % 256, np.zeros_like(x)], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return read_photo(buffer.getvalue())


def test_the_part_shows_what_lies_in_the_box() -> None:
    whole = photo()
    part = crop_photo(whole, (10, 20, 50, 60))
    assert (part.width, part.height) == (40, 40)
    assert part.pixels[0, 0].tolist() == [10, 20, 0]
    assert part.pixels[-1, -1].tolist() == [49, 59, 0]
    assert part.pixels.flags.c_contiguous
    assert not part.pixels.flags.writeable
    assert (part.format, part.original_size) == ("PNG", (40, 40))
    assert part.crop is not None
    assert (part.crop.whole, part.crop.box) == (whole.sha256, (10, 20, 50, 60))
    # As if somebody had cut the photo and given it as such.
    np.testing.assert_array_equal(
        model_input(part.pixels, CropRule(32)).pixels, model_input(whole.pixels[20:60, 10:50], CropRule(32)).pixels
    )


def test_every_part_is_known_by_a_digest_of_its_own() -> None:
    whole, other = photo(), photo(97)
    boxes = [(0, 0, 40, 40), (1, 0, 41, 40), (0, 1, 40, 41), (0, 0, 41, 40)]
    digests = [crop_photo(found, box).sha256 for found in (whole, other) for box in boxes]
    assert len({whole.sha256, other.sha256, *digests}) == 2 + len(digests)
    assert crop_photo(whole, boxes[0]).sha256 == digests[0]


def test_all_of_a_photo_is_the_photo() -> None:
    whole = photo()
    assert crop_photo(whole, (0, 0, 96, 64)) is whole


def test_a_part_of_a_part_is_a_part_of_the_whole() -> None:
    whole = photo()
    twice = crop_photo(crop_photo(whole, (10, 20, 90, 60)), (5, 4, 45, 34))
    once = crop_photo(whole, (15, 24, 55, 54))
    assert (twice.sha256, twice.crop) == (once.sha256, once.crop)
    np.testing.assert_array_equal(twice.pixels, once.pixels)


def test_the_size_is_that_of_the_original() -> None:
    large = photo(2 * MAX_SIDE, 400)  # scaled down to half when it is read
    assert (large.width, large.height) == (MAX_SIDE, 200)
    assert crop_photo(large, (100, 50, 200, 150)).original_size == (200, 200)


@pytest.mark.parametrize("box", [(-1, 0, 40, 40), (0, 0, 97, 40), (0, 30, 40, 65), (40, 0, 10, 40), (0, 50, 40, 20)])
def test_a_box_outside_is_an_error(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="does not lie in a photo of 96 × 64") as caught:
        crop_photo(photo(), box)
    assert not isinstance(caught.value, PhotoError)


def test_the_smallest_part() -> None:
    whole = photo()
    assert crop_photo(whole, (0, 0, MIN_SIDE, MIN_SIDE)).width == MIN_SIDE
    for box in ((0, 0, MIN_SIDE - 1, 40), (5, 5, 40, 5)):
        with pytest.raises(PhotoError, match=f"part is too small to show a flower.*at least {MIN_SIDE} × {MIN_SIDE}"):
            crop_photo(whole, box)


@pytest.mark.parametrize(
    ("box", "square"),
    [
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((10, 20, 50, 40), (10, 10, 50, 50)),  # grown up and down alike
        ((10, 20, 30, 60), (0, 20, 40, 60)),  # and to both sides
        ((10, 0, 50, 20), (10, 0, 50, 40)),  # moved aside where the photo ends: above,
        ((10, 50, 50, 64), (10, 24, 50, 64)),  # below,
        ((0, 10, 4, 50), (0, 10, 40, 50)),  # on the left
        ((90, 10, 96, 50), (56, 10, 96, 50)),  # and on the right
        ((5, 20, 90, 40), (5, 0, 90, 64)),  # wider than the photo is tall
        ((7, 7, 7, 7), (7, 7, 7, 7)),
    ],
)
def test_a_square_around_a_box_within_a_photo_of_96_by_64(
    box: tuple[int, int, int, int], square: tuple[int, int, int, int]
) -> None:
    assert squared(box, 96, 64) == square
