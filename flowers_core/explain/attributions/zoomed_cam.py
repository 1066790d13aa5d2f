"""CAM over the photo and enlarged parts of it, smoothed by one cell of the feature map.

A part of the photo that is enlarged to the model's input has more cells for the same flower, and is seen without the
rest. The evidence of overlapping parts is laid back over the photo and averaged with that of the whole, as in
Augmented Grad-CAM (Morbidelli et al. 2020, ICASSP), which moves the photo instead. The last layer's map then is smooth
by a Gaussian of one cell: neighbouring cells see nearly the same pixels, so what differs between them is mostly noise.

As in `augmented_cam` the log-odds of the class against all others are split, not its logit. Sides, step and smoothing
were chosen on validation photos by insertion less deletion.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter

from flowers_core.explain.attributions.augmented_cam import log_odds_direction
from flowers_core.explain.explanation import Explanation, Target, to_photo
from flowers_core.explain.subject import Pixels, Subject

METHOD = "zoomed_cam"
#: Side of an enlarged part, as a fraction of the photo's, and how many lie along a side.
PART, PARTS = 3 / 4, 3
#: Standard deviation of the smoothing, in cells of the feature map.
SMOOTHING = 1.0

Square = tuple[int, int, int, int]


def explain_zoomed_cam(subject: Subject, target: Target) -> Explanation:
    """Which positions speak for a class against its rivals, or against one of them, in the whole and in its parts.

    Args:
        subject: the photo and the model.
        target: a class, or a class against another.

    Returns:
        Explanation in "logit", (s, s), as fine as the model's input. `value` is the product of the direction and the
        embedding of the whole photo; the contributions sum to about the mean of that over whole and parts.

    Raises:
        ValueError: if there is no such label, or the target is a neighbour.
    """
    started = time.perf_counter()
    size, pixels = subject.size, subject.pixels
    direction = log_odds_direction(subject.head, target, lambda: subject.logits(pixels[None])[0], subject.temperature)
    boxes = part_boxes(size)
    cells = subject.feature_maps(np.stack([pixels, *enlarged(pixels, boxes)])).astype(np.float64) @ direction
    mean = mean_over_photo(cells, [(0, 0, size, size), *boxes], size)
    smooth = gaussian_filter(mean, SMOOTHING * size / cells.shape[1], mode="nearest", truncate=2.5)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=(smooth / size**2).astype(np.float32),
        value=float(cells[0].mean()),
        unit="logit",
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={"forward_passes": len(cells), "parts": len(boxes), "temperature": subject.temperature},
    )


def part_boxes(size: int) -> list[Square]:
    """Overlapping squares that cover the photo: left, top, right, bottom in pixels, row by row.

    Args:
        size: of the photo, in pixels.
    """
    side = round(PART * size)
    starts = np.rint(np.linspace(0, size - side, PARTS)).astype(int).tolist()
    return [(left, top, left + side, top + side) for top in starts for left in starts]


def enlarged(pixels: Pixels, boxes: list[Square]) -> list[Pixels]:
    """Each part of a photo at the photo's size.

    Args:
        pixels: (s, s, 3) uint8.
        boxes: of the parts, in pixels.

    Returns:
        One (s, s, 3) uint8 for each.
    """
    photo, size = Image.fromarray(pixels), (len(pixels), len(pixels))
    return [np.asarray(photo.crop(box).resize(size, Image.Resampling.BICUBIC)) for box in boxes]


def mean_over_photo(maps: npt.NDArray[np.float64], boxes: list[Square], size: int) -> npt.NDArray[np.float64]:
    """For each pixel the mean of the maps whose box holds it; every pixel must be in one.

    Args:
        maps: (n, h, w), each over its box.
        boxes: of the n maps, in pixels.
        size: of the photo, in pixels.

    Returns:
        (size, size) float64.
    """
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for cells, (left, top, right, bottom) in zip(maps, boxes, strict=True):
        total += to_photo(
            cells.astype(np.float32), (float(left), float(top), float(right), float(bottom)), (size, size)
        )
        count[top:bottom, left:right] += 1
    return total / count
