"""Any mode in which Pillow decodes a photo → mode "RGB" or "L", transparency laid over white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# 16-bit grey → 8-bit: 65535 / 257 = 255 exactly, rounded to the nearest.
_BYTE_OF_16_BIT = ((np.arange(65536) + 128) // 257).astype(np.uint8)


def flattened(image: Image.Image) -> Image.Image:
    """A decoded image of any mode → mode "RGB" or "L" of the same size, transparency over white."""
    if image.mode.startswith("I;16"):
        grey = Image.fromarray(_BYTE_OF_16_BIT[np.asarray(image)])
        return _over_white(grey, alpha_channel(image))
    if image.mode in ("I", "F"):
        return Image.fromarray(_bytes_of(np.asarray(image)))
    if image.has_transparency_data:
        whole = image if image.mode == "RGBA" else image.convert("RGBA")
        return _over_white(whole.convert("RGB"), whole.getchannel("A"))
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def alpha_channel(image: Image.Image) -> Image.Image | None:
    """The opacity of each pixel of a decoded image, as mode "L" of the same size; None if all are opaque."""
    if image.mode.startswith("I;16"):
        transparent = image.info.get("transparency")  # Pillow's `has_transparency_data` leaves out 16-bit grey
        if not isinstance(transparent, int):
            return None
        return Image.fromarray(np.where(np.asarray(image) == transparent, 0, 255).astype(np.uint8))
    return image.convert("RGBA").getchannel("A") if image.has_transparency_data else None


def match_transparent_colour(image: Image.Image) -> None:
    """Bring the one transparent colour of a 16-bit RGB PNG to the 8 bits in which Pillow decodes its pixels."""
    transparent = image.info.get("transparency")
    if isinstance(transparent, tuple) and max(transparent) > 255:
        image.info["transparency"] = tuple(value >> 8 for value in transparent)


def _over_white(image: Image.Image, alpha: Image.Image | None) -> Image.Image:
    if alpha is None:
        return image
    white = Image.new(image.mode, image.size, "white")
    white.paste(image, mask=alpha)
    return white


def _bytes_of(grey: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values of no agreed range (32-bit integers or floats) → uint8.

    The range is taken to be the first of 0…1 (floats only), 0…255 and 0…65535 that holds all values. Other values are
    stretched from their least to their greatest. NaN counts as 0, an infinity as the nearest finite value.
    """
    values = grey.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    values = np.nan_to_num(values, nan=0.0, posinf=high, neginf=low)
    if low >= 0 and high <= 65535:
        white = 1.0 if grey.dtype.kind == "f" and high <= 1 else 255.0 if high <= 255 else 65535.0
        return np.rint(values * (255.0 / white)).astype(np.uint8)
    return np.rint(np.clip((values - low) / (high - low or 1.0), 0, 1) * 255).astype(np.uint8)
