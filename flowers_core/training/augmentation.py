"""Augmented views of a photo: the published recipe's, and stronger ones that resemble photos as people take them.

Every view has a random generator of its own, seeded by (seed, number of the view, photo). So a resumed run sees the
views that it would have seen. No random number depends on the size. So equal generators give equal views at 224 and at
299 pixels, and a teacher and a student with different input sizes see the same views.

Shift, crop, zoom, rotation and flip are one affine map and one bicubic resampling; the photo is mirrored at its edges.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from flowers_core.training.scenes import small_in_scenery, small_on_background, tiled

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Augmentation:
    """How far views stray from the central crop. Ranges are uniform; a `…_share` is a share of all views.

    Attributes:
        rotation: degrees to either side.
        rotation_share, flip_share: rotated; mirrored left to right.
        zoom: factor; above 1 shows less of the photo.
        crop_area: share of the photo's area that a random resized crop keeps (Szegedy et al. 2015, arXiv 1409.4842).
            None keeps the central square and applies `zoom` to it.
        crop_aspect: the crop's aspect lies from this to its inverse.
        brightness, contrast, saturation: factors.
        tint: largest change of red, green and blue each, in percent, as wrong white balance does it.
        grey_share: without colour.
        blur, blur_share: largest radius, in percent of the side.
        erase, erase_share: largest share of the area that one colour fills (Zhong et al. 2017, arXiv 1708.04896).
        small_side, small_share: the photo is shown at this share of the frame's side, on a background.
        tiled_share: the photo and its mirror images side by side, as several flowers in one frame.
        laid_out_area: `crop_area` for small and tiled views, since a narrow crop would undo them; None for the same.
        most_tiles: up to so many by so many.
        scenery: the whole photo is shown small, once to three times, on a background with patches of every size.
    """

    rotation: float = 0.0
    rotation_share: float = 1.0
    zoom: tuple[float, float] = (1.0, 1.0)
    flip_share: float = 0.0
    crop_area: tuple[float, float] | None = None
    crop_aspect: float = 0.75
    brightness: tuple[float, float] = (1.0, 1.0)
    contrast: tuple[float, float] = (1.0, 1.0)
    saturation: tuple[float, float] = (1.0, 1.0)
    tint: float = 0.0
    grey_share: float = 0.0
    blur: float = 0.0
    blur_share: float = 0.0
    erase: float = 0.0
    erase_share: float = 0.0
    small_side: tuple[float, float] = (0.35, 0.8)
    small_share: float = 0.0
    tiled_share: float = 0.0
    laid_out_area: tuple[float, float] | None = None
    most_tiles: int = 2
    scenery: bool = False


NONE = Augmentation()
# The published recipe: rotation up to 20°, brightness 0.7–1.3, zoom 0.8–1.2, horizontal flip.
PUBLISHED = Augmentation(rotation=20.0, zoom=(0.8, 1.2), flip_share=0.5, brightness=(0.7, 1.3))
CROPS = Augmentation(
    rotation=20.0,
    rotation_share=0.4,
    flip_share=0.5,
    crop_area=(0.25, 1.0),
    brightness=(0.7, 1.3),
    contrast=(0.75, 1.25),
    saturation=(0.6, 1.4),
    grey_share=0.05,
)
STRONG = Augmentation(
    rotation=25.0,
    rotation_share=0.4,
    flip_share=0.5,
    crop_area=(0.15, 1.0),
    crop_aspect=0.6,
    brightness=(0.55, 1.5),
    contrast=(0.6, 1.5),
    saturation=(0.4, 1.6),
    tint=20.0,
    grey_share=0.12,
    blur=1.2,
    blur_share=0.15,
    erase=0.25,
    erase_share=0.1,
    small_share=0.2,
    tiled_share=0.1,
)
# As strong, but flowers that are far away stay so.
FAR = dataclasses.replace(
    STRONG,
    small_side=(0.3, 0.7),
    small_share=0.25,
    tiled_share=0.1,
    laid_out_area=(0.7, 1.0),
    most_tiles=3,
    scenery=True,
)
AUGMENTATIONS = {"none": NONE, "published": PUBLISHED, "crops": CROPS, "strong": STRONG, "far": FAR}
# Records of older runs have the former name.
FORMER_NAMES = {"wild": "strong"}


def view_generator(seed: int, view: int, photo_id: int) -> np.random.Generator:
    """The random generator of one view of one photo; equal arguments give equal views on every machine.

    Args:
        seed: of the run, at least 0.
        view: number of the view, at least 0.
        photo_id: the photo's id, at least 0.
    """
    return np.random.default_rng([seed, view, photo_id])


def random_view(pixels: Pixels, size: int, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """One augmented view of a photo.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        size: of the view's side, in pixels.
        augmentation: how the view is drawn.
        rng: the view's own generator, which this uses up (see `view_generator`).

    Returns:
        (size, size, 3) uint8 RGB.
    """
    laid_out = rng.random()
    source = pixels
    if laid_out < augmentation.small_share:
        lay_out = small_in_scenery if augmentation.scenery else small_on_background
        source = lay_out(pixels, augmentation.small_side, rng)
    elif laid_out < augmentation.small_share + augmentation.tiled_share:
        source = tiled(pixels, augmentation.most_tiles, rng)
    if source is not pixels and augmentation.laid_out_area is not None:
        augmentation = dataclasses.replace(augmentation, crop_area=augmentation.laid_out_area)
    image = _resampled(source, size, augmentation, rng)
    return np.asarray(_altered(image, augmentation, rng))


def _resampled(pixels: Pixels, size: int, augmentation: Augmentation, rng: np.random.Generator) -> Image.Image:
    height, width, _ = pixels.shape
    left, top, right, bottom = _window(width, height, augmentation, rng)
    degrees = 0.0
    if augmentation.rotation and rng.random() < augmentation.rotation_share:
        degrees = rng.uniform(-augmentation.rotation, augmentation.rotation)
    flipped = rng.random() < augmentation.flip_share
    inside = left >= 0 and top >= 0 and right <= width and bottom <= height
    if degrees == 0.0 and inside:
        box = (left, top, right, bottom)
        image = Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC, box=box)
    else:
        image = _turned(pixels, size, (left, top, right, bottom), degrees)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flipped else image


def _window(
    width: int, height: int, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """The window of the photo that is shown, in its pixels; it may reach beyond the photo when zoomed out."""
    if augmentation.crop_area is None:
        side = min(width, height) / rng.uniform(*augmentation.zoom)
        return (width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2
    for _ in range(10):
        area = rng.uniform(*augmentation.crop_area) * width * height
        aspect = math.exp(rng.uniform(math.log(augmentation.crop_aspect), -math.log(augmentation.crop_aspect)))
        w, h = math.sqrt(area * aspect), math.sqrt(area / aspect)
        if w <= width and h <= height:
            left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
            return left, top, left + w, top + h
    # No crop of that area and aspect fits (a long, narrow photo): the central square.
    side = min(width, height)
    return (width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2


def _turned(pixels: Pixels, size: int, box: tuple[float, float, float, float], degrees: float) -> Image.Image:
    left, top, right, bottom = box
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # A turned window reaches further than the upright one: mirror the photo's edge as far as its corners go.
    half_w, half_h = (right - left) / 2, (bottom - top) / 2
    centre_x, centre_y = (left + right) / 2, (top + bottom) / 2
    reach_x = abs(cosine) * half_w + abs(sine) * half_h
    reach_y = abs(sine) * half_w + abs(cosine) * half_h
    height, width, _ = pixels.shape
    before_x, after_x = _beyond(centre_x - reach_x, width), _beyond(width - centre_x - reach_x, width)
    before_y, after_y = _beyond(centre_y - reach_y, height), _beyond(height - centre_y - reach_y, height)
    padded = np.pad(pixels, ((before_y, after_y), (before_x, after_x), (0, 0)), mode="symmetric")
    source = Image.fromarray(padded)
    # Pillow's affine map has no antialiasing: scale down by a whole factor first where the view is much smaller.
    factor = max(1, int(min(right - left, bottom - top) / size / 1.25))
    if factor > 1:
        source = source.reduce(factor)
    step_x, step_y = (right - left) / size / factor, (bottom - top) / size / factor
    offset_x = (centre_x + before_x) / factor
    offset_y = (centre_y + before_y) / factor
    middle = size / 2
    a, b = cosine * step_x, -sine * step_y
    d, e = sine * step_x, cosine * step_y
    coefficients = (a, b, offset_x - (a + b) * middle, d, e, offset_y - (d + e) * middle)
    return source.transform((size, size), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)


def _beyond(margin: float, side: int) -> int:
    return min(side, max(0, math.ceil(-margin) + 2)) if margin < 2 else 0


def _altered(image: Image.Image, augmentation: Augmentation, rng: np.random.Generator) -> Image.Image:
    # Every number is drawn whether it is used or not, so that options do not change each other's draws.
    brightness, contrast = rng.uniform(*augmentation.brightness), rng.uniform(*augmentation.contrast)
    saturation = 0.0 if rng.random() < augmentation.grey_share else rng.uniform(*augmentation.saturation)
    gains = 1.0 + rng.uniform(-augmentation.tint, augmentation.tint, 3) / 100.0
    blur = rng.uniform(0.0, augmentation.blur) if rng.random() < augmentation.blur_share else 0.0
    erased = rng.random() < augmentation.erase_share
    if augmentation.tint:
        levels = np.clip(np.arange(256)[None, :] * gains[:, None] + 0.5, 0, 255).astype(int)
        image = image.point([int(level) for level in levels.reshape(-1)])
    for enhancer, factor in (
        (ImageEnhance.Color, saturation),
        (ImageEnhance.Brightness, brightness),
        (ImageEnhance.Contrast, contrast),
    ):
        if factor != 1.0:
            image = enhancer(image).enhance(factor)
    if blur > 0.0:
        image = image.filter(ImageFilter.GaussianBlur(blur / 100.0 * image.width))
    return _erased(image, augmentation.erase, rng) if erased else image


def _erased(image: Image.Image, largest: float, rng: np.random.Generator) -> Image.Image:
    area, aspect = rng.uniform(0.02, max(0.02, largest)), math.exp(rng.uniform(math.log(0.4), -math.log(0.4)))
    w, h = min(0.95, math.sqrt(area * aspect)), min(0.95, math.sqrt(area / aspect))
    x, y = rng.uniform(0, 1 - w), rng.uniform(0, 1 - h)
    colour = tuple(int(value) for value in rng.integers(0, 256, 3))
    left, top, right, bottom = (round(value * image.width) for value in (x, y, x + w, y + h))
    image = image.copy()
    image.paste(colour, (left, top, right, bottom))
    return image
