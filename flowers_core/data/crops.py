"""Crops: a part of a photo as a photo of its own, for a small flower or one flower of a bouquet."""

from __future__ import annotations

import hashlib

from flowers_core.data.photos import MIN_SIDE, Crop, Photo, PhotoError, PixelBox


def squared(box: PixelBox, width: int, height: int) -> PixelBox:
    """The smallest square around a box that fits into a photo of `width` × `height` pixels.

    Models see the central square of their input, so a crop of another shape would lose its ends. The box lies in the
    middle of the square, or off the middle where the photo ends. A box longer than the photo's short side keeps its
    length and gets the whole of the other side.

    Args:
        box: left, top, right, bottom in whole pixels.
        width, height: the photo's size in pixels.

    Returns:
        left, top, right, bottom in whole pixels.
    """
    left, top, right, bottom = box
    side = max(right - left, bottom - top)
    (left, right), (top, bottom) = _grown(left, right, side, width), _grown(top, bottom, side, height)
    return left, top, right, bottom


def _grown(low: int, high: int, side: int, length: int) -> tuple[int, int]:
    """An interval of length `side` around the middle of another, within 0…length."""
    side = min(side, length)
    low = min(max(0, (low + high - side) // 2), length - side)
    return low, low + side


def crop_photo(photo: Photo, box: PixelBox) -> Photo:
    """Cut a crop out of a photo. A crop can do everything that a photo can.

    Args:
        photo: a whole photo or a crop. A crop of a crop refers to the same whole photo.
        box: left, top, right, bottom in whole pixels of `photo`; right and bottom are exclusive.

    Returns:
        A photo whose `crop` says where it comes from. It has its own `sha256`, so that nobody takes cached results of
        the whole photo for those of the crop. If the box is all of `photo`, `photo` itself.

    Raises:
        PhotoError: the crop is smaller than `MIN_SIDE` pixels on a side.
        ValueError: the box does not lie in the photo.
    """
    left, top, right, bottom = box
    if not (0 <= left <= right <= photo.width and 0 <= top <= bottom <= photo.height):
        raise ValueError(f"The box {box} does not lie in a photo of {photo.width} × {photo.height} pixels.")
    width, height = right - left, bottom - top
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"This part is too small to show a flower: it has {width} × {height} pixels. "
            f"Choose one of at least {MIN_SIDE} × {MIN_SIDE}."
        )
    if (width, height) == (photo.width, photo.height):
        return photo
    pixels = photo.pixels[top:bottom, left:right].copy()
    pixels.setflags(write=False)
    across, down = photo.original_size[0] / photo.width, photo.original_size[1] / photo.height
    whole, x, y = (photo.crop.whole, *photo.crop.box[:2]) if photo.crop else (photo.sha256, 0, 0)
    crop = Crop(whole, (x + left, y + top, x + right, y + bottom))
    return Photo(
        pixels=pixels,
        format=photo.format,
        sha256=hashlib.sha256(f"{crop.whole} {crop.box}".encode()).hexdigest(),
        original_size=(round(width * across), round(height * down)),
        crop=crop,
    )
