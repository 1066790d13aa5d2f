"""Untrusted bytes → `Photo`: upright, sRGB, bounded.

Pillow decodes the formats in `FORMATS`, HEIC through pillow-heif. The size in the header is checked before any pixel is
decoded. Other modules do the rest: `photo_formats` tells what the bytes are, `tiff_kinds` knows cameras' raw photos,
`photo_limits` bounds the memory, `mending` opens whole photos that Pillow refuses, `colour` applies profiles, and
`flatten` turns every mode into RGB.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image

from flowers_core.data.colour import srgb_conversion
from flowers_core.data.flatten import flattened, match_transparent_colour
from flowers_core.data.mending import Mended, lost_its_middle, mended
from flowers_core.data.named_spaces import named_profile
from flowers_core.data.photo_formats import CAMERA_RAW, WHAT_WORKS, why_not_a_photo
from flowers_core.data.photo_limits import MAX_SCANS, jpeg_scan_ends, most_pixels, open_large, reduced_heif
from flowers_core.data.tiff_kinds import is_camera_raw
from flowers_core.errors import FlowersError

# A larger photo is scaled down to this after decoding: 7.7 MB at most. A third of its short side, the smallest part
# that is looked at, is still larger than a model's input.
MAX_SIDE = 1600
MIN_SIDE = 16  # a smaller photo shows too little of a flower

# Decoding 100 million pixels takes up to 1.6 GB for a moment (WebP), so large photos are decoded one at a time. A
# phone's photo takes 60 MB, so no more are decoded at a time than there are cores: many visitors may come at once.
_LARGE = 25_000_000
_one_large = threading.Lock()
_decoding = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))

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

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
Image.init()  # load every plugin now, not on the first photo in one of several threads


class PhotoError(FlowersError):
    """A photo cannot be used. The message is a sentence for the person who chose it."""


class _Undecodable(PhotoError):
    """Pillow cannot open or decode a photo. If the photo is whole, it may be mended."""


PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True)
class Crop:
    """Which part of a photo is shown.

    Attributes:
        whole: SHA-256 of the whole photo, hexadecimal.
        box: left, top, right, bottom in pixels of the whole photo.
    """

    whole: str
    box: PixelBox


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo: upright, sRGB, bounded.

    Attributes:
        pixels: (height, width, 3) uint8 RGB, C-contiguous, read-only, at most `MAX_SIDE` on the longer side.
        format: "JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF", "AVIF" or "HEIC".
        sha256: digest of the bytes as given, hexadecimal; a crop has its own.
        original_size: (width, height) in pixels, upright, before scaling down.
        crop: which part of which photo this is (see `crop_photo`); None for a whole photo.
    """

    pixels: NDArray[np.uint8]
    format: str
    sha256: str
    original_size: tuple[int, int]
    crop: Crop | None = None

    @property
    def height(self) -> int:
        """Height of `pixels`."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Width of `pixels`."""
        return self.pixels.shape[1]


def open_photo(path: Path) -> Photo:
    """Read the photo in a file, as `read_photo` does.

    Raises:
        PhotoError: the file cannot be read or is no photo; the message begins with the file's name.
    """
    try:
        return read_photo(Path(path).read_bytes())
    except PhotoError as error:
        raise PhotoError(f"{Path(path).name}: {error}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PhotoError(f"{Path(path).name} could not be read: {reason}.") from error


def read_photo(data: bytes) -> Photo:
    """Decode untrusted bytes.

    The function applies the EXIF orientation, converts the colours of an ICC profile to sRGB, lays transparency over
    white, turns grey, palette, CMYK and 16-bit photos into RGB uint8, takes the first frame of an animation, and scales
    a photo longer than `MAX_SIDE` down to it (bicubic, antialiased). Threads may call it at the same time; as many
    photos are decoded at a time as there are cores, and very large ones one at a time.

    Raises:
        PhotoError: the bytes are not a whole photo of at least `MIN_SIDE` pixels a side and at most `most_pixels`
            pixels. No bytes cause any other exception.
    """
    if not data:
        raise PhotoError(f"This file is empty. {WHAT_WORKS}")
    try:
        return _read(data, Mended(data))
    except _Undecodable:
        # At least twice the final size, as in decoding, so that lost parts of the photo show.
        whole = mended(data, (2 * MAX_SIDE, 2 * MAX_SIDE))
        if whole is None:
            raise
        return _read(data, whole)


def _read(data: bytes, decodable: Mended) -> Photo:
    """Decode bytes; `data` are the bytes as given, `decodable` the same or the mended ones."""
    image = _open_header(decodable.data)
    if profile := decodable.profile or named_profile(image, decodable.data):
        image.info["icc_profile"] = profile
    stored_size = image.size
    _check_size(image)
    if image.format in ("JPEG", "MPO") and (scans := len(jpeg_scan_ends(decodable.data))) > MAX_SCANS:
        raise PhotoError(
            f"This JPEG photo is built up in {scans} steps, which takes too long: cameras and programs make a dozen. "
            "Save it anew, or choose another photo."
        )
    with _one_large if math.prod(stored_size) > _LARGE else contextlib.nullcontext(), _decoding:
        upright, turned = _decode(image, decodable.data)
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
    image: Image.Image | None
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Pillow's own bound, 179 million pixels, lies above that of most formats. (The warning is raised only where
        # the process has turned warnings into errors.)
        image = open_large(data)
        if image is None:
            raise _too_many_pixels("", most_pixels(None)) from error
    except MemoryError as error:
        raise _out_of_memory() from error
    except Exception as error:  # a decoder's complaint about untrusted bytes may be of any type
        raise _Undecodable(why_not_a_photo(data)) from error
    if image.format == "TIFF" and is_camera_raw(data):  # what Pillow opened is its preview
        raise PhotoError(CAMERA_RAW)
    return image


def _decode(image: Image.Image, data: bytes) -> tuple[Image.Image, bool]:
    """Decode the first frame to an upright RGB image, and whether turning it upright swapped width and height."""
    size = _bounded(image.size)
    try:
        if image.format in ("JPEG", "MPO"):
            # libjpeg can decode at 1/2, 1/4 or 1/8 of the size; twice the final size leaves the antialiasing to us.
            image.draft(None, (2 * size[0], 2 * size[1]))
        if image.format == "HEIF" and math.prod(image.size) > _LARGE:
            decoded = reduced_heif(data, (2 * size[0], 2 * size[1]))
            decoded.info["icc_profile"] = image.info.get("icc_profile")
        else:
            image.load()
            decoded = image
        if image.format in ("JPEG", "MPO") and lost_its_middle(data, decoded):
            raise _Undecodable(_damaged(image))
        rgb = _shrunk_to_srgb(decoded, size)
        # Read after decoding: Pillow turns TIFF and libheif turns HEIC, and both then report the orientation as done.
        upright = _UPRIGHT.get(_orientation(image))
        if upright is not None:
            rgb = rgb.transpose(upright)
        return rgb.convert("RGB"), upright in _SWAPS_SIDES
    except MemoryError as error:
        raise _out_of_memory() from error
    except _Undecodable:
        raise
    except Exception as error:  # a decoder's complaint about untrusted bytes may be of any type
        raise _Undecodable(_damaged(image)) from error


def _shrunk_to_srgb(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A decoded image in sRGB, mode "RGB" or "L", no larger than `size`."""
    match_transparent_colour(image)
    conversion = srgb_conversion(image)
    if conversion is None:
        return _shrunk(flattened(image), size)
    if image.mode in ("RGB", "L", "CMYK") and not image.has_transparency_data:
        return flattened(conversion(_shrunk(image, size)))  # fewer pixels to convert: a phone's photo has a profile
    return _shrunk(flattened(conversion(image)), size)


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.width <= size[0] and image.height <= size[1]:
        return image
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 (upright) if it is missing or broken, which harms no pixel."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - Pillow's EXIF parser raises many types on broken blocks
        return 1


def _bounded(size: tuple[int, int]) -> tuple[int, int]:
    """The size scaled down so that the longer side is at most `MAX_SIDE`, in whole pixels."""
    scale = min(1.0, MAX_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _check_size(image: Image.Image) -> None:
    """Refuse by the header alone photos that are too large to decode or too small to show a flower."""
    (width, height), most = image.size, most_pixels(image)
    if width * height > most:
        raise _too_many_pixels(f" It has {width} × {height} = {math.ceil(width * height / 1e6)} million.", most)
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


def _too_many_pixels(found: str, most: int) -> PhotoError:
    return PhotoError(
        f"This photo has more pixels than can be read here.{found} At most {most // 10**6} million are "
        "allowed: save it smaller (4000 × 3000 is plenty), or choose another photo."
    )


def _damaged(image: Image.Image) -> str:
    return (
        f"This {_shown_format(image)} photo is damaged or incomplete: it could not be decoded to its end. "
        "Copy or download it again, or choose another photo."
    )


def _out_of_memory() -> PhotoError:
    return PhotoError("There is not enough memory to open this photo. Save it smaller, or try again in a while.")


def _shown_format(image: Image.Image) -> str:
    return _SHOWN_AS.get(image.format or "", image.format or "")
