"""How many pixels and scans a photo may have, given what decoding takes, and decoding at a fraction of the size.

A phone's photo has up to 200 million pixels. Decoded whole they would take 600 MB or more, of which a model sees
0.15 MB. libjpeg decodes at 1/2, 1/4 or 1/8 of the size and never holds the rest. Only a progressive JPEG needs all its
coefficients in memory, some 3 bytes a pixel. libheif decodes the whole photo, which is then reduced strip by strip
without a second full-size copy. Other formats are decoded whole.

A JPEG may go over its coefficients in many scans. Each takes a few bytes of the file and a pass over the whole photo:
a small file could keep a decoder busy for hours.
"""

from __future__ import annotations

import io
import re

import pillow_heif
from PIL import Image, JpegImagePlugin

MAX_PIXELS = 100_000_000
MAX_PIXELS_HEIF = 125_000_000
MAX_PIXELS_PROGRESSIVE = 125_000_000
MAX_PIXELS_JPEG = 256_000_000
MAX_SCANS = 100  # libjpeg's own progressive files have 10
_STRIP = 256  # rows, after reduction
# What ends the coefficients of a scan: a marker, and no stuffed zero, restart or filling byte (ITU T.81, B.1.1).
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_END, _SCAN = 0xD9, 0xDA


def most_pixels(image: Image.Image | None) -> int:
    """The most pixels that a photo may have, by the format in its header; `image` is None for an unknown format."""
    kind = image.format if image else None
    if image and kind in ("JPEG", "MPO"):
        return MAX_PIXELS_PROGRESSIVE if image.info.get("progressive") else MAX_PIXELS_JPEG
    return MAX_PIXELS_HEIF if kind == "HEIF" else MAX_PIXELS


def jpeg_scan_ends(data: bytes) -> list[int]:
    """Where the coefficients of each scan of a JPEG end, up to its end mark or to where it breaks off."""
    at, in_scan, ends = 2, False, []
    while marker := _MARKER.search(data, at):
        if in_scan:
            ends.append(marker.start())
        if data[marker.end() - 1] == _END:
            return ends
        in_scan = data[marker.end() - 1] == _SCAN
        at = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2], "big"))
    return [*ends, len(data)] if in_scan else ends


def open_large(data: bytes) -> Image.Image | None:
    """Read the header of a photo beyond Pillow's own bound, if its format can be decoded at a fraction of the size.

    Pillow's bound holds for the whole process and is left alone. The format's own class does not check it.

    Args:
        data: the file's bytes.

    Returns:
        The image, not decoded; None for other formats and broken headers.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        if data[4:8] == b"ftyp" and data[8:12] not in (b"avif", b"avis"):
            return pillow_heif.HeifImageFile(io.BytesIO(data))
    except Exception:  # noqa: BLE001 - a decoder's complaint about untrusted bytes may be of any type
        return None
    return None


def reduced_heif(data: bytes, size: tuple[int, int]) -> Image.Image:
    """Decode a HEIC photo at a whole fraction of its size, upright, with only one full-size copy in memory.

    Args:
        data: the file's bytes.
        size: the least (width, height) of the result, if the photo has as much.
    """
    heif = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    photo = heif[heif.primary_index]
    pixels, stride, mode = photo.data, photo.stride, photo.mode
    width, height = photo.size
    factor = max(1, min(width // size[0], height // size[1]))
    reduced = Image.new(mode, (-(-width // factor), -(-height // factor)))
    for top in range(0, height, _STRIP * factor):
        rows = min(_STRIP * factor, height - top)
        strip = Image.frombytes(mode, (width, rows), pixels[top * stride : (top + rows) * stride], "raw", mode, stride)
        reduced.paste(strip.reduce(factor), (0, top // factor))
    reduced.info.update(photo.info)
    return reduced
