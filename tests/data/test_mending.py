import random
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from sklearn.datasets import load_sample_image

from flowers_core.data.photo_limits import jpeg_scan_ends
from flowers_core.data.photos import PhotoError, read_photo
from tests.fixtures.icc_profiles import SPACES, SRGB, converted
from tests.fixtures.pictures import encoded, four_corners, noise, png, sentence

JPEGS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "a restart marker after each row": {"restart_marker_rows": 1},
    "a restart marker after three blocks": {"restart_marker_blocks": 3},
    "every colour whole": {"quality": 100, "subsampling": 0},
}


def flower(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(load_sample_image("flower.jpg")).resize((320, 214)).convert(mode)


# JPEGs without their end mark


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_that_lacks_only_its_end_mark_is_read(kind, mode):
    options = {key: value for key, value in JPEGS[kind].items() if mode == "RGB" or key != "subsampling"}
    data = encoded(flower(mode), "JPEG", **options)
    whole = read_photo(data)
    for without in (data[:-1], data[:-2], data[:-2] + bytes(500)):
        photo = read_photo(without)
        assert (photo.pixels == whole.pixels).all()
        assert photo.sha256 != whole.sha256  # of the bytes as given


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_whose_pixels_are_missing_is_refused(kind):
    data = encoded(flower(), "JPEG", **JPEGS[kind])
    markers = [at for at in range(700, len(data) - 2) if data[at] == 0xFF and data[at + 1] not in (0, 0xD9)]
    cuts = [
        *range(len(data) - 30, len(data) - 2),
        *random.Random(0).sample(range(700, len(data) - 30), 20),
        *markers[:20],
    ]
    for cut in cuts:
        assert "damaged" in sentence(data[:cut]), cut


@pytest.mark.parametrize("kind", ["baseline", "a restart marker after each row", "a restart marker after three blocks"])
@pytest.mark.parametrize("lost", [1500, 6000])
def test_a_jpeg_that_lost_its_middle_is_refused(kind, lost):
    data = encoded(flower().resize((640, 428)), "JPEG", **JPEGS[kind])
    assert read_photo(data)
    picture = data.rfind(b"\xff\xda") + 14
    for start in random.Random(0).sample(range(picture, len(data) - 2 - lost), 12):
        assert "damaged" in sentence(data[:start] + data[start + lost :]), start


def test_a_progressive_jpeg_that_lost_its_middle_is_refused():
    data = encoded(flower().resize((640, 428)), "JPEG", progressive=True)
    assert read_photo(data)
    # Within the first pass over the fine detail of the brightness, and from one pass into the next.
    scans = jpeg_scan_ends(data)
    largest = max(range(1, len(scans)), key=lambda at: scans[at] - scans[at - 1])
    for begin, end in ((scans[largest] - 3000, scans[largest] - 1000), (scans[0] - 200, scans[0] + 300)):
        assert "damaged" in sentence(data[:begin] + data[end:]), begin
    # A loss may leave the decoder with just as much as it wants; that is rare.
    starts = random.Random(0).sample(range(scans[0], len(data) - 1502), 24)
    refused = [begin for begin in starts if _is_refused(data[:begin] + data[begin + 1500 :])]
    assert len(refused) >= 23


def _is_refused(data: bytes) -> bool:
    try:
        read_photo(data)
    except PhotoError as error:
        return "damaged" in str(error)
    return False


def test_a_photo_whose_last_corner_is_of_one_colour_is_whole():
    picture = Image.new("RGB", (400, 300), "white")
    picture.paste(flower().resize((200, 150)), (40, 20))
    for kind in JPEGS:
        data = encoded(picture, "JPEG", **JPEGS[kind])
        assert read_photo(data).pixels[-1, -1].min() > 250
        assert read_photo(data + data).format == "JPEG"  # as a phone's moving photo, with something behind it


def test_a_large_jpeg_without_its_end_mark():
    data = encoded(flower().resize((8400, 300)), "JPEG")
    assert read_photo(data[:-2]).original_size == (8400, 300)
    with pytest.raises(PhotoError, match="damaged"):
        read_photo(data[: len(data) // 2])


# PNGs with long texts and profiles


def test_a_png_with_a_text_that_unpacks_to_much_is_read_in_little_memory():
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 50_000_000, zip=True)
    data = encoded(four_corners(), "PNG", pnginfo=text)
    assert len(data) < 100_000
    del text
    tracemalloc.start()
    photo = read_photo(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (photo.pixels == np.asarray(four_corners())).all()
    assert peak < 8_000_000


@pytest.mark.parametrize("kind", ["tEXt", "iTXt"])
def test_texts_of_other_kinds_and_behind_the_pixels(kind):
    content = b"comment\0" + (b"\1\0\0\0" + zlib.compress(b"x" * 3_000_000) if kind == "iTXt" else b"x" * 3_000_000)
    data = encoded(four_corners(), "PNG")
    long = struct.pack(">I", len(content)) + kind.encode() + content
    long += struct.pack(">I", zlib.crc32(kind.encode() + content))
    assert (read_photo(data[:-12] + long + data[-12:]).pixels == np.asarray(four_corners())).all()


def test_the_orientation_survives():
    exif = Image.Exif()
    exif[0x0112] = 6
    hexadecimal = (b"Exif\0\0" + exif.tobytes()[6:]).hex()
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(hexadecimal) // 2:8}\n{hexadecimal}\n", zip=True)
    upright = read_photo(encoded(four_corners(), "PNG", pnginfo=text))
    assert upright.original_size == (64, 96)
    text.add_text("parameters", "x" * 2_000_000, zip=True)
    again = read_photo(encoded(four_corners(), "PNG", pnginfo=text))
    assert (again.pixels == upright.pixels).all()


def with_profile(pixels: np.ndarray, profile: bytes) -> bytes:
    """A PNG of RGB pixels with a profile of any length; Pillow writes them too."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return png(
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"iCCP", b"drawn\0\0" + zlib.compress(profile)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )


def test_a_png_with_a_long_profile_is_read_in_its_colours():
    profile = SPACES["Display P3"].profile() + bytes(1_500_000)
    profile = struct.pack(">I", len(profile)) + profile[4:]
    stored = converted(noise(20, 30, 3), SRGB, SPACES["Display P3"])
    photo = read_photo(with_profile(stored, profile))
    assert np.abs(photo.pixels.astype(int) - converted(stored, SPACES["Display P3"], SRGB)).max() <= 2


@pytest.mark.parametrize("profile", [bytes(100_000_000), b"\xff" * 2_000_000])
def test_a_png_with_a_profile_that_is_none_is_read(profile):
    pixels = noise(20, 30, 3)
    data = with_profile(pixels, profile)
    del profile
    tracemalloc.start()
    photo = read_photo(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (photo.pixels == pixels).all()
    assert peak < 50_000_000


def test_a_damaged_png_with_a_long_text_stays_damaged():
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 2_000_000, zip=True)
    data = encoded(Image.fromarray(noise(64, 96, 3)), "PNG", pnginfo=text)
    for cut in (0.3, 0.6, 0.9):
        assert "damaged" in sentence(data[: int(len(data) * cut)])
