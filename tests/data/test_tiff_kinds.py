"""TIFF files drawn by hand: directories of tags as TIFF 6.0, section 2, lays them out."""

import random
import struct

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.photo_formats import CAMERA_RAW
from flowers_core.data.photos import read_photo
from flowers_core.data.tiff_kinds import is_camera_raw, unsupported_kind
from tests.fixtures.pictures import encoded, four_corners, sentence

Tag = tuple[int, str, tuple[int, ...]]
TYPES = {"B": 1, "H": 3, "I": 4}


def tiff(
    *directories: tuple[list[Tag], list[list[Tag]]], order: str = "<", pixels: bytes = bytes(64 * 64 * 3)
) -> bytes:
    """A TIFF of directories, each with directories within it; strips of all point at the same pixels."""
    start = 8 + len(pixels)
    body = b""

    def lay(tags: list[Tag], following: int) -> int:
        """Append a directory; returns where it begins."""
        nonlocal body
        entries, far = b"", b""
        at = start + len(body)
        end = at + 2 + 12 * len(tags) + 4
        for tag, kind, values in sorted(tags):
            packed = struct.pack(f"{order}{len(values)}{kind}", *values)
            if len(packed) > 4:
                far, packed = far + packed, struct.pack(f"{order}I", end + len(far))
            entries += struct.pack(f"{order}HHI", tag, TYPES[kind], len(values)) + packed.ljust(4, b"\0")
        body += struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", following) + far
        return at

    following = 0
    for tags, within in reversed(directories):
        places = tuple(lay(sub, 0) for sub in within)
        following = lay([*tags, *([(330, "I", places)] if places else [])], following)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", following)
    return head + pixels + body


def picture(side: int = 64, photometric: int = 2, compression: int = 1, channels: int = 3, bits: int = 8) -> list[Tag]:
    return [
        (256, "H", (side,)),
        (257, "H", (side,)),
        (258, "H", (bits,) * channels),
        (259, "H", (compression,)),
        (262, "H", (photometric,)),
        (273, "I", (8,)),
        (277, "H", (channels,)),
        (278, "H", (side,)),
        (279, "I", (side * side * channels,)),
    ]


SENSOR = picture(photometric=32803, channels=1, bits=16)
DNG = (50706, "B", (1, 4, 0, 0))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "directories",
    [
        [([*picture(), DNG], [SENSOR])],  # DNG: a preview, the sensor's data within
        [([*picture(), DNG], [])],
        [(picture(), [SENSOR])],  # NEF and ARW
        [(picture(), [picture(photometric=34892)])],  # linear raw
        [(picture(), [picture(side=32), picture(compression=34713, photometric=1, channels=1)])],
        [(picture(), []), (picture(), []), (picture(compression=32767, channels=1), [])],
        [(SENSOR, [])],  # PEF
    ],
)
def test_a_cameras_raw_photo_is_told_and_never_its_preview_read(directories, order):
    data = tiff(*directories, order=order)
    assert is_camera_raw(data)
    assert sentence(data) == CAMERA_RAW


def test_a_cr2_is_told_by_its_mark():
    data = tiff((picture(), []))
    assert is_camera_raw(data[:8] + b"CR\x02\0" + data[12:])


@pytest.mark.parametrize("order", ["<", ">"])
def test_plain_tiffs_are_read(order):
    photo = read_photo(tiff((picture(), [picture(side=32)]), (picture(), []), order=order))
    assert photo.format == "TIFF"
    for mode in ("RGB", "L", "CMYK", "1"):
        data = encoded(four_corners().convert(mode), "TIFF")
        assert not is_camera_raw(data)
        assert unsupported_kind(data) is None


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ([*picture(bits=32), (339, "H", (3, 3, 3))], "holds 32-bit floating-point colours"),
        ([*picture(bits=16), (339, "H", (3, 3, 3))], "holds 16-bit floating-point colours"),
        (picture(bits=32), "holds 32-bit whole-number colours"),
        ([*picture(bits=16, channels=1, photometric=1), (339, "H", (6,))], "holds 16-bit complex grey values"),
        (picture(compression=34712), "is compressed as JPEG 2000"),
        (picture(channels=12, photometric=1), "has 12 channels"),
    ],
)
def test_a_kind_that_cannot_be_decoded_is_named(tags, told):
    data = tiff((tags, []))
    assert unsupported_kind(data) == told
    assert (
        sentence(data)
        == f"This TIFF photo {told}, which cannot be read here. Save it with 8 bits a colour, or as JPEG."
    )


def test_grey_floats_are_read():
    ramp = np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(20, 0)
    photo = read_photo(encoded(Image.fromarray(ramp), "TIFF"))
    assert (photo.pixels[:, :, 0] == np.rint(ramp * 255)).all()


def test_damaged_directories_raise_nothing():
    chance = random.Random(0)
    whole = tiff(([*picture(), DNG], [SENSOR, picture()]), (picture(), [SENSOR]), pixels=b"")
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 4, 16))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        data = data[: chance.randrange(len(data) + 1)]
        is_camera_raw(bytes(data))
        unsupported_kind(bytes(data))


def test_directories_that_lead_in_a_circle_come_to_an_end():
    data = bytearray(tiff((picture(), []), pixels=b""))
    data[-4:] = struct.pack("<I", 8)  # the next directory is this one
    assert not is_camera_raw(bytes(data))
