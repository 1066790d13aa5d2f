"""Colours of an embedded ICC profile → sRGB, the space that the models were trained in.

A phone's Display P3 photo or a camera's Adobe RGB photo holds other numbers for the same colours. Without conversion
such photos look duller, and 20 to 45 of 500 verdicts change. LittleCMS (`PIL.ImageCms`) converts them: relative
colorimetric with black point compensation. A photo without a profile, or with an sRGB profile, keeps its pixels bit for
bit.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import cast

import numpy as np
from PIL import Image, ImageCms

from flowers_core.data.flatten import alpha_channel

Conversion = Callable[[Image.Image], Image.Image]

# A profile that moves no colour by more than this, of 255, is sRGB as another program writes it.
_SAME = 2
_GREY_MODES = ("1", "L", "LA", "I;16", "I;16L", "I;16B")
# Even the largest printers' tables are far smaller. Anything larger is not a profile.
MAX_PROFILE_BYTES = 16 << 20


def srgb_conversion(image: Image.Image) -> Conversion | None:
    """The function that converts a decoded photo's colours to sRGB by its profile.

    Args:
        image: as Pillow decoded it; its profile is `image.info["icc_profile"]`.

    Returns:
        A function from such an image to one of mode "RGB" or "RGBA" and the same size. None if the photo has no
        profile, or one that is sRGB, broken, or made for another kind of pixels.
    """
    profile = image.info.get("icc_profile")
    if image.mode == "LAB":
        return _by_transform(_transform(ImageCms.createProfile("LAB"), "LAB"), "LAB")
    if not profile or len(profile) > MAX_PROFILE_BYTES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _mode_for(source.profile.xcolor_space, image)
        if mode is None:
            return None
        transform = _transform(source, mode)
        return None if _is_srgb(transform, mode) else _by_transform(transform, mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a broken profile spoils no pixel
        return None


def _mode_for(space: str, image: Image.Image) -> str | None:
    """The mode in which a profile takes this image's pixels; None if it was made for another kind of pixels."""
    if (space == "CMYK") != (image.mode == "CMYK"):
        return None
    if space == "GRAY":
        if image.mode not in _GREY_MODES:
            return None
        return image.mode if image.mode.startswith("I;16") else "L"
    return {"RGB ": "RGB", "CMYK": "CMYK"}.get(space)


def _transform(source: ImageCms.ImageCmsProfile | ImageCms.core.CmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if mode not in ("RGB", "CMYK", "LAB"):
        flags |= ImageCms.Flags.NOOPTIMIZE  # its tables are coarse where a linear grey is dark
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", intent, flags)


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a transform leaves a lattice of 7 × 7 × 7 colours, or a ramp of greys, unchanged."""
    if mode == "CMYK":
        return False
    if mode == "RGB":
        steps = np.round(np.linspace(0, 255, 7)).astype(np.uint8)
        colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        probe = Image.fromarray(colours)
    else:
        ramp = np.arange(256, dtype=np.uint8)[None]
        colours = np.repeat(ramp[:, :, None], 3, axis=2)
        probe = Image.fromarray(ramp if mode == "L" else ramp.astype(">u2" if mode.endswith("B") else "<u2") * 257)
    moved = np.asarray(ImageCms.applyTransform(probe, transform)).astype(int) - colours
    return bool(np.abs(moved).max() <= _SAME)


def _by_transform(transform: ImageCms.ImageCmsTransform, mode: str) -> Conversion:
    def convert(image: Image.Image) -> Image.Image:
        alpha = alpha_channel(image)
        # Without inPlace it always makes a new image.
        colours = cast(Image.Image, ImageCms.applyTransform(image.convert(mode), transform))
        if alpha is not None:
            colours.putalpha(alpha)
        return colours

    return convert
