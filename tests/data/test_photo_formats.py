import pytest

from flowers_core.data.photo_formats import ACCEPTED_ENDINGS, CAMERA_RAW, looks_like_photo, why_not_a_photo
from tests.fixtures.pictures import encoded, four_corners

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF")


@pytest.mark.parametrize("pillow_format", FORMATS)
def test_a_photo_is_told_by_its_first_sixteen_bytes(pillow_format):
    assert looks_like_photo(encoded(four_corners(), pillow_format)[:16])


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\xff\xd8",
        b"%PDF-1.7\n",
        b"Dear diary",
        b"PK\x03\x04",
        b"\0\5\x16\7\0\2\0\0Mac OS X",
        b"\0\0\0\x18ftypisom",
    ],
)
def test_other_files_do_not_look_like_one(start):
    assert not looks_like_photo(start)


def test_the_endings_that_cameras_write_are_accepted():
    assert {".jpg", ".jpe", ".jfif", ".mpo", ".hif", ".heic", ".tif", ".avif"} <= set(ACCEPTED_ENDINGS)
    assert all(ending.startswith(".") and ending == ending.lower() for ending in ACCEPTED_ENDINGS)


@pytest.mark.parametrize(
    "start",
    [
        b"\0\0\0\x18ftypcrx ",
        b"FUJIFILMCCD-RAW 0201",
        b"IIRO\x08\0\0\0",
        b"IIU\0\x18\0\0\0",
        b"II\x1a\0\0\0HEAPCCDR",
        b"FOVb\x03\0",
        b"\0MRM\0\0",
    ],
)
def test_raw_photos_that_are_no_tiff_files_are_told(start):
    assert why_not_a_photo(start + bytes(100)) == CAMERA_RAW
    assert CAMERA_RAW.startswith("This is a camera's raw photo")
    assert "Save it as JPEG" in CAMERA_RAW
