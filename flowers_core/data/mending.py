"""Mend whole photos that the decoder refuses although every pixel is there, and tell JPEGs that lost their middle.

Two kinds are common: JPEGs that lost their last two bytes, the end mark, and PNGs with a text or a profile that unpacks
to more than a mebibyte. A copy of the bytes gets the end mark, or loses the text or profile. Pillow has switches for
both, but they hold for the whole process and would let damaged photos pass.

Where bytes in the middle of a JPEG are lost, libjpeg says nothing: it goes on with what follows, out of step, and fills
the end with grey.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image, JpegImagePlugin

from flowers_core.data.colour import MAX_PROFILE_BYTES
from flowers_core.data.photo_limits import jpeg_scan_ends

_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_ORIENTED_TEXTS = (b"Raw profile type exif", b"Raw profile type APP1", b"XML:com.adobe.xmp")  # may say what is up
_MOST_TEXT_BYTES = 1 << 20
_END_MARK = b"\xff\xd9"
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
# Bytes that a decoder would read as picture data if it still lacks some, at any point of a sequence of restart markers.
# One pattern alone could by chance decode to what the decoder fills in for missing data: bits of zero. Between two
# markers there are more bytes than the ten blocks of a unit can take, at 64 × 26 bits each.
_MORE_PICTURE = tuple(
    b"".join(bytes((byte, *pattern * 2048, 0xFF, 0xD0 + restart)) for restart in (*range(8), *range(8)))
    for byte, pattern in ((0xFE, (0xFE, 0xDB)), (0x55, (0x55, 0x55)), (0xAA, (0xB6, 0xAA)), (0xE3, (0x7C, 0x39)))
)
_MEANS = (1, 1)  # so small a size that libjpeg decodes a pixel for each block
_MORE_IN_SCAN = 4096  # bytes of it: any pixel that changes will do


@dataclass(frozen=True)
class Mended:
    """A photo's bytes after mending.

    Attributes:
        data: bytes that can be decoded.
        profile: the ICC profile that had to be taken out of them, if any.
    """

    data: bytes
    profile: bytes | None = None


def mended(data: bytes, decoded_size: tuple[int, int]) -> Mended | None:
    """Mend a photo that could not be decoded.

    Args:
        data: the photo's bytes. The size in its header was accepted, or could not be read.
        decoded_size: (width, height). A JPEG is decoded at the smallest fraction of its size that has so many pixels.

    Returns:
        The mended bytes; None if the photo itself is damaged.
    """
    if data.startswith(_PNG):
        return _without_long_texts(data)
    if data.startswith(b"\xff\xd8"):
        return _with_end_mark(data, decoded_size)
    return None


def _with_end_mark(data: bytes, decoded_size: tuple[int, int]) -> Mended | None:
    """A JPEG that lacks only its end mark, with an end mark.

    Every scan must be there, and the pixels must not depend on bytes that follow the given ones: a decoder that lacks
    a part of the picture would read it from there.
    """
    body = data.rstrip(b"\xff")  # the first half of an end mark may be left; picture data never ends with it
    if body.endswith(b"\xd9") or not _has_every_scan(body):
        return None
    ended = body + _END_MARK
    try:
        found = _decoded(ended, decoded_size)
        whole = all(_decoded(body + more + _END_MARK, decoded_size) == found for more in _MORE_PICTURE)
    except Exception:  # noqa: BLE001 - a decoder's complaint about untrusted bytes may be of any type
        return None
    return Mended(ended) if whole else None


def lost_its_middle(data: bytes, decoded: Image.Image) -> bool:
    """Whether a JPEG ends as it should but lacks picture data before that.

    A restart marker is missing, or the decoder has filled the last blocks with one colour and the pixels depend on
    bytes that would follow the given ones. In a progressive JPEG a loss costs sharpness and shows in no single place,
    so there every scan must be there, and the pixels must not depend on bytes that would follow those of each.

    Args:
        data: the photo's bytes.
        decoded: the photo as it was decoded from them.
    """
    if decoded.info.get("progressive"):
        more = _with_more_in_each_scan(data)
        return not _has_every_scan(data) or _decoded(more, decoded.size) != decoded.tobytes()
    segments = list(_jpeg_segments(data))
    scans = [end for marker, _, end in segments if marker == 0xDA]
    end = data.find(_END_MARK, scans[0]) if scans else -1
    if end < 0:
        return False
    if any(marker == 0xDD and any(content) for marker, content, at in segments if at <= scans[0]):
        turns = [mark[1] & 7 for mark in _RESTART.findall(data, scans[0], end)]
        if any(turn != at % 8 for at, turn in enumerate(turns)):
            return True
    corner = np.asarray(decoded.crop((decoded.width - 4, decoded.height - 4, *decoded.size))).reshape(16, -1)
    if (corner != corner[0]).any():
        return False
    # The means of blocks tell as much as all pixels do, in a fraction of the time and the memory.
    body = data[:end]
    found = _decoded(body + _END_MARK, _MEANS)
    return any(_decoded(body + more + _END_MARK, _MEANS) != found for more in _MORE_PICTURE[:2])


def _with_more_in_each_scan(data: bytes) -> bytes:
    """A JPEG with more picture data at the end of each scan, which a decoder reads where a scan lacks some."""
    ends = [0, *jpeg_scan_ends(data)]
    pieces = [data[begin:end] + _MORE_PICTURE[0][:_MORE_IN_SCAN] for begin, end in pairwise(ends)]
    return b"".join((*pieces, data[ends[-1] :]))


def _decoded(data: bytes, size: tuple[int, int]) -> bytes:
    # Not by `Image.open`, whose bound on pixels lies below what is read here.
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    image.draft(None, size)
    return image.tobytes()


def _has_every_scan(data: bytes) -> bool:
    """Whether a JPEG's scans hold every coefficient of every component to its last bit (T.81, B.2.3 and G.1.1)."""
    components: list[int] = []
    shifts: dict[tuple[int, int], int] = {}  # component, coefficient → bits that are still to come
    for marker, segment, _ in _jpeg_segments(data):
        if marker in (0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA) and len(segment) >= 6:
            components = list(segment[6 : 6 + 3 * segment[5] : 3])
        if marker == 0xDA and segment and len(segment) >= 1 + 2 * segment[0] + 3:
            first, last, bits = segment[1 + 2 * segment[0] :][:3]
            for of in segment[1 : 1 + 2 * segment[0] : 2]:
                for at in range(first, min(last, 63) + 1):
                    if bits >> 4 in (0, shifts.get((of, at))):  # the first bits, or those after the ones before
                        shifts[of, at] = bits & 0x0F
    return bool(components) and all(shifts.get((of, at)) == 0 for of in components for at in range(64))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, content and end of every segment; the picture data between segments is skipped."""
    at = 2
    while 0 <= (at := data.find(b"\xff", at)) < len(data) - 3:
        marker = data[at + 1]
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + max(length, 2)
        yield marker, data[at + 4 : end], end
        at = end


def _without_long_texts(data: bytes) -> Mended | None:
    """A PNG without its profile, which is returned apart, and without texts, except short ones with an orientation."""
    kept, profile = [_PNG], None
    for kind, start, end in _png_chunks(data):
        content = data[start + 8 : end - 4]
        if kind == b"iCCP":
            profile = _unpacked(content.partition(b"\0")[2][1:], MAX_PROFILE_BYTES)
        elif kind not in _TEXTS or _is_short_and_oriented(kind, content):
            kept.append(data[start:end])
    without = b"".join(kept)
    return Mended(without, profile) if len(without) < len(data) else None


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk; a chunk that is cut off at the end of the data counts too."""
    at = len(_PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = min(at + 12 + length, len(data))
        yield kind, at, end
        at = end


def _is_short_and_oriented(kind: bytes, content: bytes) -> bool:
    keyword, _, text = content.partition(b"\0")
    if keyword not in _ORIENTED_TEXTS or len(text) > _MOST_TEXT_BYTES:
        return False
    if kind == b"zTXt":
        return _unpacked(text[1:], _MOST_TEXT_BYTES) is not None
    return kind == b"tEXt" or text[:1] == b"\0"  # iTXt: not compressed


def _unpacked(deflated: bytes, most: int) -> bytes | None:
    """The decompressed content; None if it is broken or longer than `most` bytes."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(deflated, most)
    except zlib.error:
        return None
    return content if unpacker.eof else None
