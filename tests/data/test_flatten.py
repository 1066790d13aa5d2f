import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from flowers_core.data import flatten
from flowers_core.data.photos import Photo, read_photo
from tests.fixtures.pictures import encoded, noise, png


def greys(photo: Photo) -> np.ndarray:
    """One channel of a photo whose three are the same."""
    assert (photo.pixels == photo.pixels[:, :, :1]).all()
    return photo.pixels[:, :, 0]


def test_grey_becomes_three_equal_channels():
    grey = noise(20, 30)
    assert (greys(read_photo(encoded(Image.fromarray(grey), "PNG"))) == grey).all()


def test_black_and_white():
    bits = noise(20, 30) > 127
    assert (greys(read_photo(encoded(Image.fromarray(bits), "PNG"))) == bits * 255).all()


@pytest.mark.parametrize("pillow_format", ["PNG", "TIFF", "WEBP"])
def test_alpha_lies_over_white(pillow_format):
    rgba = noise(20, 30, 4)
    options = {"lossless": True, "exact": True} if pillow_format == "WEBP" else {}
    photo = read_photo(encoded(Image.fromarray(rgba), pillow_format, **options))
    colour, alpha = rgba[:, :, :3].astype(float), rgba[:, :, 3:] / 255
    assert np.abs(photo.pixels - (colour * alpha + 255 * (1 - alpha))).max() <= 1


def test_grey_with_alpha_lies_over_white():
    grey_alpha = noise(20, 30, 2)
    photo = read_photo(encoded(Image.fromarray(grey_alpha), "PNG"))
    grey, alpha = grey_alpha[:, :, 0].astype(float), grey_alpha[:, :, 1] / 255
    assert np.abs(greys(photo) - (grey * alpha + 255 * (1 - alpha))).max() <= 1


@pytest.mark.parametrize("pillow_format", ["PNG", "GIF"])
def test_a_palette_with_a_transparent_colour_lies_over_white(pillow_format):
    picture = Image.new("P", (30, 20), 1)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.paste(0, (0, 0, 15, 20))
    plain = read_photo(encoded(picture, pillow_format))
    assert plain.pixels[5, 5].tolist() == [10, 20, 30]
    seen = read_photo(encoded(picture, pillow_format, transparency=0))
    assert seen.pixels[5, 5].tolist() == [255, 255, 255]
    assert seen.pixels[5, 25].tolist() == [200, 100, 50]


def test_a_palette_with_half_transparent_colours():
    picture = Image.new("P", (30, 20), 0)
    picture.putpalette([200, 100, 50])
    photo = read_photo(encoded(picture, "PNG", transparency=bytes([51])))  # one fifth opaque
    assert photo.pixels[5, 5].tolist() == [244, 224, 214]  # 255 - 0.2 · (255 - colour)


def test_rgb_and_grey_with_one_transparent_colour():
    for picture, transparent in ((Image.new("RGB", (30, 20), (9, 8, 7)), (9, 8, 7)), (Image.new("L", (30, 20), 9), 9)):
        photo = read_photo(encoded(picture, "PNG", transparency=transparent))
        assert (photo.pixels == 255).all()


@pytest.mark.parametrize("pillow_format", ["JPEG", "TIFF"])
def test_cmyk(pillow_format):
    inks = {"cyan": (255, 0, 0, 0), "black": (0, 0, 0, 255), "paper": (0, 0, 0, 0), "mixed": (50, 100, 150, 60)}
    for name, ink in inks.items():
        options = {"quality": 100} if pillow_format == "JPEG" else {}
        # Photoshop writes inverted inks into JPEG and marks them as Adobe's; Pillow writes and reads that.
        data = encoded(Image.new("CMYK", (32, 32), ink), pillow_format, **options)
        assert (b"Adobe" in data) == (pillow_format == "JPEG")
        expected = [(255 - part) * (255 - ink[3]) / 255 for part in ink[:3]]
        assert np.abs(read_photo(data).pixels.astype(float) - expected).max() <= 3, name


def test_16_bit_grey_is_scaled_not_clipped():
    values = np.array([0, 1, 128, 129, 257, 300, 32768, 65278, 65407, 65535], np.uint16)
    picture = np.repeat(np.repeat(values[None, :], 20, 0), 2, 1)
    expected = [0, 0, 0, 1, 1, 1, 128, 254, 255, 255]  # the nearest to v / 257
    for data in (encoded(Image.fromarray(picture), "PNG"), encoded(Image.fromarray(picture), "TIFF")):
        assert greys(read_photo(data))[0, ::2].tolist() == expected
    assert np.array_equal(flatten._BYTE_OF_16_BIT, np.rint(np.arange(65536) / 257))


def test_16_bit_grey_of_the_other_byte_order():
    values = np.full((20, 20), 300 * 100, ">u2")
    picture = Image.frombytes("I;16B", (20, 20), values.tobytes())
    assert (greys(read_photo(encoded(picture, "TIFF"))) == round(30000 / 257)).all()


@pytest.mark.parametrize(
    ("corner_values", "dtype", "expected"),
    [
        ([0, 100, 200, 255], np.int32, [0, 100, 200, 255]),
        ([0, 257, 25700, 65535], np.int32, [0, 1, 100, 255]),
        ([-100, 0, 100, 100000], np.int32, [0, 0, 1, 255]),
        ([0.0, 0.25, 0.5, 1.0], np.float32, [0, 64, 128, 255]),
        ([0.0, 100.4, 200.6, 255.0], np.float32, [0, 100, 201, 255]),
        ([-1.0, 0.0, 0.0, 1.0], np.float32, [0, 128, 128, 255]),
        ([np.nan, 0.5, np.inf, 1.0], np.float32, [0, 128, 255, 255]),
        ([7.0, 7.0, 7.0, 7.0], np.float32, [7, 7, 7, 7]),
        ([-7.0, -7.0, -7.0, -7.0], np.float32, [0, 0, 0, 0]),
        ([np.nan] * 4, np.float32, [0, 0, 0, 0]),
    ],
)
def test_grey_without_an_agreed_range(corner_values, dtype, expected):
    picture = np.repeat(np.array(corner_values, dtype)[None, :], 20, 0).repeat(5, 1)
    assert greys(read_photo(encoded(Image.fromarray(picture), "TIFF")))[0, ::5].tolist() == expected


def test_16_bit_grey_with_a_transparent_grey_lies_over_white():
    values = np.full((20, 30), 32767, ">u2")
    values[:, 15:] = 32768  # 8 bits could not tell it from the other
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    head = struct.pack(">IIBBBBB", 30, 20, 16, 0, 0, 0, 0)
    end = (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    assert (
        greys(read_photo(png((b"IHDR", head), (b"tRNS", struct.pack(">H", 32767)), *end)))[0] == [255] * 15 + [128] * 15
    ).all()
    assert (greys(read_photo(png((b"IHDR", head), *end)))[0] == [127] * 15 + [128] * 15).all()


def test_16_bit_colours_with_one_transparent_colour_lie_over_white():
    values = np.zeros((20, 30, 3), ">u2")
    values[:, :15] = (40_000, 300, 20_000)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    head = struct.pack(">IIBBBBB", 30, 20, 16, 2, 0, 0, 0)
    photo = read_photo(
        png(
            (b"IHDR", head),
            (b"tRNS", struct.pack(">3H", 40_000, 300, 20_000)),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        )
    )
    assert photo.pixels[5, 5].tolist() == [255, 255, 255]
    assert photo.pixels[5, 25].tolist() == [0, 0, 0]
