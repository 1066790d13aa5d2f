import io

import numpy as np
import pytest
from PIL import Image

from flowers_core import photos
from flowers_core.photos import CropRule, PhotoError, model_input, read_photo


def encoded(image: Image.Image, format: str, **options: object) -> bytes:  # noqa: A002
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def four_corners(width: int = 96, height: int = 64) -> Image.Image:
    """A picture whose every corner has another colour: red, green / blue, yellow."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 20, 20)
    pixels[: height // 2, width // 2 :] = (20, 200, 20)
    pixels[height // 2 :, : width // 2] = (20, 20, 220)
    pixels[height // 2 :, width // 2 :] = (230, 220, 10)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("pillow_format", "shown"),
    [
        ("JPEG", "JPEG"),
        ("PNG", "PNG"),
        ("WEBP", "WebP"),
        ("BMP", "BMP"),
        ("GIF", "GIF"),
        ("TIFF", "TIFF"),
        ("AVIF", "AVIF"),
        ("HEIF", "HEIC"),
    ],
)
def test_every_format_gives_the_picture_that_was_saved(pillow_format, shown):
    picture = four_corners()
    photo = read_photo(encoded(picture, pillow_format))
    assert photo.format == shown
    assert photo.original_size == (96, 64)
    assert (photo.width, photo.height) == (96, 64)
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous
    assert not photo.pixels.flags.writeable
    difference = np.abs(photo.pixels.astype(int) - np.asarray(picture).astype(int))
    assert np.median(difference) <= 3
    assert difference[10:20, 10:20].max() <= 12


def test_model_input_is_the_central_square():
    cut = model_input(np.asarray(four_corners(100, 60)), CropRule(30))
    assert cut.box == (20.0, 0.0, 80.0, 60.0)
    assert cut.pixels.shape == (30, 30, 3)


def test_refusals_are_photo_errors():
    for data in [b"", b"hello", encoded(four_corners(), "JPEG")[:700], b"<svg xmlns='http://www.w3.org/2000/svg'/>"]:
        with pytest.raises(PhotoError):
            read_photo(data)
    assert photos.MAX_SIDE == 2048
