"""Untrusted bytes → `Photo`, and the one resize and crop that training, export and serving share.

Pillow decodes (HEIC through pillow-heif), restricted to the formats in `FORMATS`; the size in the header is
checked before any pixel is decoded. Colours are taken as stored: an embedded ICC profile is not applied, neither
here nor in training, so both see the same numbers.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image

from flowers_core.data.photo_formats import WHAT_WORKS, why_not_a_photo
from flowers_core.errors import FlowersError

MAX_PIXELS = 100_000_000  # checked before decoding
MAX_SIDE = 2048  # a larger photo is scaled down to this after decoding
MIN_SIDE = 16  # below this there is nothing in a photo to judge a flower by

# Decoding 100 million pixels takes up to 1.6 GB for a moment (WebP); two such photos at once would not do.
_LARGE = 25_000_000
_one_large = threading.Lock()

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF")
_SHOWN_AS = {"MPO": "JPEG", "WEBP": "WebP", "HEIF": "HEIC"}

# How each EXIF orientation other than 1 is turned upright (EXIF 2.32, tag 0x0112).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)
# 16-bit grey → 8-bit: 65535 / 257 = 255 exactly, rounded to the nearest.
_BYTE_OF_16_BIT = ((np.arange(65536) + 128) // 257).astype(np.uint8)

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
Image.init()  # load every plugin now, not on the first photo in one of several threads


class PhotoError(FlowersError):
    """A photo that cannot be used. Its message is a sentence for the person who chose it."""


PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True)
class Part:
    """Where a part of a photo comes from: the sha256 of the whole photo, and left, top, right, bottom in its pixels."""

    whole: str
    box: PixelBox


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo ready to be looked at: upright, RGB, bounded.

    pixels: (height, width, 3) uint8 RGB, C-contiguous, read-only, at most `MAX_SIDE` on the longer side.
    format: what the bytes were: "JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF", "AVIF" or "HEIC".
    sha256: of the bytes as given, hexadecimal; of a part, of what it is a part of.
    original_size: (width, height) in pixels, upright, before any scaling down.
    part: of which photo this is a part, and where (see `photo_part`); None for a whole one.
    """

    pixels: NDArray[np.uint8]
    format: str
    sha256: str
    original_size: tuple[int, int]
    part: Part | None = None

    @property
    def height(self) -> int:
        """Height of `pixels`."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Width of `pixels`."""
        return self.pixels.shape[1]


def open_photo(path: Path) -> Photo:
    """Read the photo in a file; as `read_photo`, with the file's name in the sentence of a `PhotoError`."""
    try:
        return read_photo(Path(path).read_bytes())
    except PhotoError as error:
        raise PhotoError(f"{Path(path).name}: {error}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PhotoError(f"{Path(path).name} could not be read: {reason}.") from error


def read_photo(data: bytes) -> Photo:
    """Decode untrusted bytes.

    Applies the EXIF orientation, lays transparency over white, turns grey, palette, CMYK and 16-bit photos into
    RGB uint8, takes the first frame of an animation, and scales a photo longer than `MAX_SIDE` down to it
    (bicubic, antialiased). Safe to call from several threads; of very large photos it decodes one at a time.

    Raises:
        PhotoError: for anything that is not a whole photo of at least `MIN_SIDE` pixels a side and at most
            `MAX_PIXELS` pixels. No other exception comes out, whatever the bytes.
    """
    if not data:
        raise PhotoError(f"This file is empty. {WHAT_WORKS}")
    image = _open_header(data)
    stored_size = image.size
    _check_size(*stored_size)
    with _one_large if math.prod(stored_size) > _LARGE else contextlib.nullcontext():
        upright, turned = _decode(image)
    pixels = np.array(upright, dtype=np.uint8, order="C")
    pixels.setflags(write=False)
    return Photo(
        pixels=pixels,
        format=_shown_format(image),
        sha256=hashlib.sha256(data).hexdigest(),
        original_size=stored_size[::-1] if turned else stored_size,
    )


def _open_header(data: bytes) -> Image.Image:
    """Let Pillow read the header; no pixel is decoded."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Pillow's own bound, 179 million pixels, lies above MAX_PIXELS. (The warning is raised only where the
        # process has turned warnings into errors.)
        raise _too_many_pixels("") from error
    except MemoryError as error:
        raise _out_of_memory() from error
    except Exception as error:  # a decoder's complaint about untrusted bytes may be of any type
        raise PhotoError(why_not_a_photo(data)) from error


def _decode(image: Image.Image) -> tuple[Image.Image, bool]:
    """Decode the first frame to an upright RGB image, and whether turning it upright swapped width and height."""
    scaled = _bounded(image.size)
    try:
        if image.format in ("JPEG", "MPO"):
            # libjpeg can decode at 1/2, 1/4 or 1/8 of the size; twice what is wanted leaves the antialiasing to us.
            image.draft(None, (2 * scaled[0], 2 * scaled[1]))
        image.load()
        flat = _flattened(image)
        if flat.width > scaled[0] or flat.height > scaled[1]:
            flat = flat.resize(scaled, Image.Resampling.BICUBIC, reducing_gap=3.0)
        # Read after decoding: Pillow turns TIFF and libheif turns HEIC, and both then report the orientation as done.
        upright = _UPRIGHT.get(_orientation(image))
        if upright is not None:
            flat = flat.transpose(upright)
        return flat.convert("RGB"), upright in _SWAPS_SIDES
    except MemoryError as error:
        raise _out_of_memory() from error
    except Exception as error:  # a decoder's complaint about untrusted bytes may be of any type
        raise PhotoError(
            f"This {_shown_format(image)} photo is damaged or incomplete: it could not be decoded to its end. "
            "Copy or download it again, or choose another photo."
        ) from error


def _flattened(image: Image.Image) -> Image.Image:
    """Any mode of Pillow → mode "RGB" or "L" of the same size, transparency over white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray(_BYTE_OF_16_BIT[np.asarray(image)])
    if image.mode in ("I", "F"):
        return Image.fromarray(_bytes_of(np.asarray(image)))
    if image.has_transparency_data:
        whole = image if image.mode == "RGBA" else image.convert("RGBA")
        over_white = Image.new("RGB", whole.size, "white")
        over_white.paste(whole, mask=whole)
        return over_white
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def _bytes_of(grey: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values of no agreed range (32-bit integers or floats) → uint8.

    Taken as 0…1 (floats), 0…255 or 0…65535, whichever is the first that holds them all; other values are stretched
    from their least to their greatest. Not-a-number counts as 0 and infinity as the nearest finite value.
    """
    values = grey.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    values = np.nan_to_num(values, nan=0.0, posinf=high, neginf=low)
    if low >= 0 and high <= 65535:
        white = 1.0 if grey.dtype.kind == "f" and high <= 1 else 255.0 if high <= 255 else 65535.0
        return np.rint(values * (255.0 / white)).astype(np.uint8)
    return np.rint(np.clip((values - low) / (high - low or 1.0), 0, 1) * 255).astype(np.uint8)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 (upright) where there is none or it is broken, since that spoils no pixel."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - Pillow's EXIF parser raises many types on broken blocks
        return 1


def _bounded(size: tuple[int, int]) -> tuple[int, int]:
    """The size scaled down so that the longer side is at most `MAX_SIDE`, in whole pixels."""
    scale = min(1.0, MAX_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _check_size(width: int, height: int) -> None:
    """Refuse, by the header alone, what is too large to decode or too small to be judged."""
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(f" It has {width} × {height} = {math.ceil(width * height / 1e6)} million.")
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"This photo is too small to show a flower: it has {width} × {height} pixels. "
            f"Choose one of at least {MIN_SIDE} × {MIN_SIDE}; 200 × 200 or more works well."
        )
    if min(_bounded((width, height))) < MIN_SIDE:
        raise PhotoError(
            f"This picture is a strip of {width} × {height} pixels, too narrow to show a flower. "
            "Cut it to a shape closer to a square, or choose another photo."
        )


def _too_many_pixels(found: str) -> PhotoError:
    return PhotoError(
        f"This photo has more pixels than can be read here.{found} At most {MAX_PIXELS // 10**6} million are "
        "allowed: save it smaller (4000 × 3000 is plenty), or choose another photo."
    )


def _out_of_memory() -> PhotoError:
    return PhotoError("There is not enough memory to open this photo. Save it smaller, or try again in a while.")


def _shown_format(image: Image.Image) -> str:
    return _SHOWN_AS.get(image.format or "", image.format or "")
