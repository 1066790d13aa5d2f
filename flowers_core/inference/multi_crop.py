"""Several looks: the crops of a photo that are looked at.

A flower that is small in the frame, or one of several, is often named better in a crop. So where the whole photo leaves
doubt, overlapping square crops in a few sizes are looked at in one batch, and `looks_rule` makes one answer of all
looks.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import MIN_SIDE, PixelBox
from flowers_core.inference.looks_rule import log_odds_of

#: Sides of the crops, as fractions of the photo's short side.
CROP_SIDES = (1.0, 0.7, 0.45)
#: From one crop to the next, at most, as a fraction of the crop's side.
CROP_STEP = 0.55
#: The smallest sizes are left out of a long strip of a photo, so that there are no more crops than this.
MAX_CROPS = 100
_SPARE = 1.5


def crop_boxes(width: int, height: int) -> list[PixelBox]:
    """Square crops of a photo, the largest first, row by row. None is too small to show a flower.

    The largest square is left out if it is the whole photo.

    Args:
        width, height: the photo's size in pixels.
    """
    boxes: list[PixelBox] = []
    for fraction in CROP_SIDES:
        side = round(fraction * min(width, height))
        if side < MIN_SIDE or side == max(width, height):
            continue
        across, down = _starts(width, side), _starts(height, side)
        if len(boxes) + len(across) * len(down) > MAX_CROPS:
            break
        boxes += [(x, y, x + side, y + side) for y in down for x in across]
    return boxes


def _starts(length: int, side: int) -> list[int]:
    """The starts of crops that are spread evenly from end to end, at most a step apart."""
    count = ceil((length - side) / (CROP_STEP * side)) + 1
    return np.rint(np.linspace(0, length - side, count)).astype(int).tolist()


def crop_inputs(pixels: NDArray[np.uint8], boxes: list[PixelBox], rule: CropRule) -> NDArray[np.uint8]:
    """Each crop as a model's input.

    If even the smallest crop has more pixels than needed, the whole photo is first scaled down until that crop has
    `_SPARE` times what the model takes: with no more, its edges would shift by up to half a pixel. To scale down dozens
    of crops of a camera's photo one by one would take seconds.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        boxes: left, top, right, bottom of each of the n crops in pixels.
        rule: size and crop of the model's input.

    Returns:
        (n, size, size, 3) uint8.
    """
    height, width = pixels.shape[:2]
    smallest = min(right - left for left, _, right, _ in boxes)
    scale = min(1.0, _SPARE * rule.size / rule.crop_fraction / smallest)
    if scale < 1:
        size = (round(width * scale), round(height * scale))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    inputs = []
    for box in boxes:
        left, top, right, bottom = (round(edge * scale) for edge in box)
        inputs.append(model_input(np.ascontiguousarray(pixels[top:bottom, left:right]), rule).pixels)
    return np.stack(inputs)


def consensus_scores(probabilities: NDArray[np.floating], boxes: list[PixelBox]) -> NDArray[np.float64]:
    """How well each crop represents all: its log-odds times its summed intersection over union with them.

    The most confident crop alone is often a mere edge of the flower, and the most central one may hardly show it.

    Args:
        probabilities: (n,) of the class in each crop.
        boxes: left, top, right, bottom of each crop in pixels.

    Returns:
        (n,) float64.
    """
    edges = np.array(boxes, np.float64)
    low, high = np.maximum(edges[:, None, :2], edges[None, :, :2]), np.minimum(edges[:, None, 2:], edges[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    areas = both.diagonal()
    overlap = (both / (areas[:, None] + areas - both)).sum(axis=1)
    return np.array([log_odds_of(probability) for probability in probabilities]) * overlap
