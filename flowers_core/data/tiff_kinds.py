"""What a TIFF file holds, by its directories alone: a camera's raw photo, or a kind that cannot be decoded here.

Most raw formats (DNG, NEF, ARW, CR2, PEF, SRW …) are TIFF files whose first picture is a small preview. A decoder would
take the preview for the photo, so the directories are read before any decoding (TIFF 6.0, section 2; DNG 1.7, chapter
4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MOST_DIRECTORIES, _MOST_ENTRIES, _MOST_VALUES = 32, 1024, 64
_SIZES = {1: "B", 3: "H", 4: "I", 13: "I"}  # of the types that the tags below have: byte, short, long, directory

_BITS, _COMPRESSION, _PHOTOMETRIC, _CHANNELS, _SUB_DIRECTORIES, _SAMPLE_FORMAT = 258, 259, 262, 277, 330, 339
_DNG_VERSION = 50706
_SENSOR_DATA = (32803, 34892)  # photometric interpretations: colour filter array, linear raw
_CAMERAS_COMPRESSIONS = (32767, 32770, 34713, 65000, 65535)  # Sony, Samsung, Nikon, Kodak, Pentax
_COMPRESSIONS = {33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34887: "LERC", 50002: "JPEG XL"}
_SAMPLES = {2: "signed", 3: "floating-point", 5: "complex", 6: "complex"}

Directory = dict[int, tuple[int, ...]]


def is_camera_raw(data: bytes) -> bool:
    """Whether a TIFF file is a camera's raw photo; False for anything else, however damaged."""
    return data[:2] in (b"II", b"MM") and (
        data[8:10] == b"CR"
        or any(
            _DNG_VERSION in directory
            or directory.get(_PHOTOMETRIC, (0,))[0] in _SENSOR_DATA
            or directory.get(_COMPRESSION, (0,))[0] in _CAMERAS_COMPRESSIONS
            for directory in _directories(data)
        )
    )


def unsupported_kind(data: bytes) -> str | None:
    """Why the first picture of a TIFF file cannot be decoded here.

    Returns:
        The end of the sentence "This TIFF photo …", for example "holds 32-bit floating-point colours"; None if no
        reason is known.
    """
    directory = next(_directories(data), {})
    compression = directory.get(_COMPRESSION, (1,))[0]
    if compression in _COMPRESSIONS:
        return f"is compressed as {_COMPRESSIONS[compression]}"
    bits = max(directory.get(_BITS, (1,)), default=1)
    sample = directory.get(_SAMPLE_FORMAT, (1,))[0]
    channels = directory.get(_CHANNELS, (1,))[0]
    if sample in _SAMPLES or bits > 16:
        what = "grey values" if channels < 3 else "colours"
        return f"holds {bits}-bit {_SAMPLES.get(sample, 'whole-number')} {what}"
    return f"has {channels} channels" if channels > 5 else None


def _directories(data: bytes) -> Iterator[Directory]:
    """The directories of a TIFF file and those within them, as far as they can be read."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return
    waiting, seen = [struct.unpack_from(f"{order}I", data, 4)[0]], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen or not 8 <= at <= len(data) - 2:
            continue
        seen.add(at)
        directory = _read(data, order, at)
        waiting += directory.get(_SUB_DIRECTORIES, ())
        end = at + 2 + 12 * struct.unpack_from(f"{order}H", data, at)[0]
        if end + 4 <= len(data):
            waiting.append(struct.unpack_from(f"{order}I", data, end)[0])
        yield directory


def _read(data: bytes, order: str, at: int) -> Directory:
    directory: Directory = {}
    for entry in range(min(struct.unpack_from(f"{order}H", data, at)[0], _MOST_ENTRIES)):
        place = at + 2 + 12 * entry
        if place + 12 > len(data):
            break
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, place)
        if kind not in _SIZES or not 0 < count <= _MOST_VALUES:
            continue
        layout = f"{order}{count}{_SIZES[kind]}"
        inline = struct.calcsize(layout) <= 4
        where = place + 8 if inline else struct.unpack_from(f"{order}I", data, place + 8)[0]
        if where + struct.calcsize(layout) <= len(data):
            directory[tag] = struct.unpack_from(layout, data, where)
    return directory
