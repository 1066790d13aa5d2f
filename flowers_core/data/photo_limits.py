"""How many pixels a photo may have, by what decoding them takes, and decoding at a fraction of the size.

A phone's photo has up to 200 million pixels. Decoded whole they would take 600 MB and more, of which a model sees 0.15.
libjpeg decodes at 1/2, 1/4 or 1/8 of the size and never holds the rest; only a progressive JPEG's coefficients, some
3 bytes a pixel, must all be in memory. libheif decodes whole, and what it decoded is reduced strip by strip, so that no
second copy of it is made. Other formats are decoded whole.
"""

from __future__ import annotations

import io

import pillow_heif
from PIL import Image, JpegImagePlugin

MAX_PIXELS = 100_000_000
MAX_PIXELS_HEIF = 125_000_000
MAX_PIXELS_PROGRESSIVE = 125_000_000
MAX_PIXELS_JPEG = 256_000_000
_STRIP = 256  # rows, after reduction


def most_pixels(image: Image.Image | None) -> int:
    """The most pixels that a photo of this kind may have, told by its header; None for an unknown kind."""
    kind = image.format if image else None
    if image and kind in ("JPEG", "MPO"):
        return MAX_PIXELS_PROGRESSIVE if image.info.get("progressive") else MAX_PIXELS_JPEG
    return MAX_PIXELS_HEIF if kind == "HEIF" else MAX_PIXELS


def open_large(data: bytes) -> Image.Image | None:
    """Read the header of a photo that exceeds Pillow's own bound, if it is of a kind that is decoded at a fraction.

    The bound is one of the whole process and is left alone; a format's own class does not ask for it.
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
    """Decode a HEIC photo at a whole fraction of its size, upright, holding the full size only once.

    Args:
        data: of the file.
        size: (width, height) that the result must at least have.
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
