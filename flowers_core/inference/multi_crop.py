"""Is there a part of the photo that names its flower better than the whole does?

A flower small in the frame, or one of several, is told far better alone. So square parts of the photo in a few sizes,
each sharing nearly half of its side with the next, are answered in one batch, and a name is suggested where several
parts agree on it, none says another, and what one of them shows lies near what the class was learnt from. The rule was
chosen on validation photos, as they are and spoilt, by a model that had not learnt from them, and on 375 pictures
without a flower: what blur and noise do to a part is taken for another flower unless none may say another, and what is
tried dozens of times finds a flower in every ninth picture without one unless some part must lie near it. It remains a
suggestion. `scripts.study.evaluate_multi_crop` and `scripts.study.evaluate_external` measure what it gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import MIN_SIDE, PixelBox
from flowers_core.inference.prediction import softmax
from flowers_core.inference.prototypes import ClassMeans
from flowers_core.inference.runtime import Runtime

# Sides of the parts, as shares of the photo's short side, and from one part to the next, as a share of the part's.
SIDES = (1.0, 0.7, 0.5, 0.35)
STEP = 0.55
# Of a long strip of a photo the smallest sizes are left out, so that there are no more parts than this.
MOST = 100
# A part names a class from this calibrated probability on.
NAMES = 0.8
# What a suggestion takes: so many parts that name the class, no part that names another, and in the part that is surest
# of it so many times the odds that any part gives to any other.
AT_LEAST = 3
TIMES_THE_ODDS = 10


@dataclass(frozen=True)
class CloserLook:
    """A name that parts of a photo agree on.

    label: the class, 1-based. box: the part to look at, left, top, right, bottom in pixels of the photo: one that is
    sure of the name and in the middle of those that give it, since the surest is often a mere edge of the flower.
    probability: of the class in that part, calibrated. agreeing: how many of the `parts` that were looked at name it.
    """

    label: int
    box: PixelBox
    probability: float
    agreeing: int
    parts: int


def parts_of(width: int, height: int) -> list[PixelBox]:
    """Square parts of a photo of so many pixels, the largest first, row by row; none too small to show a flower.

    The largest square is left out where that is the whole photo.
    """
    boxes: list[PixelBox] = []
    for share in SIDES:
        side = round(share * min(width, height))
        if side < MIN_SIDE or side == max(width, height):
            continue
        across, down = _starts(width, side), _starts(height, side)
        if len(boxes) + len(across) * len(down) > MOST:
            break
        boxes += [(x, y, x + side, y + side) for y in down for x in across]
    return boxes


def _starts(length: int, side: int) -> list[int]:
    """Where parts begin so that they are spread evenly from end to end, at most a step apart."""
    count = ceil((length - side) / (STEP * side)) + 1
    return np.rint(np.linspace(0, length - side, count)).astype(int).tolist()


def views_of(pixels: NDArray[np.uint8], boxes: list[PixelBox], rule: CropRule) -> NDArray[np.uint8]:
    """What a model sees of each part: (n, size, size, 3) uint8.

    pixels: (h, w, 3) uint8. Where even the smallest part has more pixels than the model takes, the photo is first made
    so small that it has just as many: dozens of parts of a camera's photo would take seconds to shrink one by one.
    """
    height, width = pixels.shape[:2]
    smallest = min(right - left for left, _, right, _ in boxes)
    scale = min(1.0, rule.size / rule.crop_fraction / smallest)
    if scale < 1:
        size = (round(width * scale), round(height * scale))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    views = []
    for box in boxes:
        left, top, right, bottom = (round(edge * scale) for edge in box)
        views.append(model_input(np.ascontiguousarray(pixels[top:bottom, left:right]), rule).pixels)
    return np.stack(views)


def agreed_on(
    probabilities: NDArray[np.floating],
    boxes: list[PixelBox],
    embeddings: NDArray[np.floating] | None = None,
    means: ClassMeans | None = None,
) -> CloserLook | None:
    """The name that the parts agree on, if they do.

    probabilities: (parts, classes), calibrated. boxes: one for each part. embeddings: (parts, c), which are held
    against the means of the classes; without these, every part that gives the name will do.
    """
    naming = (probabilities >= NAMES).sum(axis=0)
    best = probabilities.max(axis=0)
    first, second = np.argsort(-best, kind="stable")[:2]
    agreed = naming[first] >= AT_LEAST and naming.sum() == naming[first]
    if not agreed or _log_odds(best[first]) - _log_odds(best[second]) < log(TIMES_THE_ODDS):
        return None
    places = np.flatnonzero(probabilities[:, first] >= NAMES)
    if means is not None and embeddings is not None and not means.near(embeddings[places], int(first) + 1).any():
        return None
    surety = np.array([_log_odds(probability) for probability in probabilities[places, first]])
    place = int(places[(surety * _shared([boxes[place] for place in places])).argmax()])
    probability = float(probabilities[place, first])
    return CloserLook(int(first) + 1, boxes[place], probability, int(naming[first]), len(boxes))


def _shared(boxes: list[PixelBox]) -> NDArray[np.float64]:
    """How much each box shares with all of them: its summed intersections over unions, (n,)."""
    edges = np.array(boxes, np.float64)
    low, high = np.maximum(edges[:, None, :2], edges[None, :, :2]), np.minimum(edges[:, None, 2:], edges[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    areas = both.diagonal()
    return (both / (areas[:, None] + areas - both)).sum(axis=1)


def look_closer(
    pixels: NDArray[np.uint8],
    runtime: Runtime,
    rule: CropRule,
    temperature: float = 1.0,
    means: ClassMeans | None = None,
) -> CloserLook | None:
    """Answer the parts of a photo, (h, w, 3) uint8, and say what they agree on; None where they do not.

    means: of the model's classes; without them a suggestion is made for many a picture without a flower.
    """
    boxes = parts_of(pixels.shape[1], pixels.shape[0])
    if len(boxes) < AT_LEAST:
        return None
    found = runtime.forward(views_of(pixels, boxes, rule))
    return agreed_on(softmax(found.logits, temperature), boxes, found.embedding, means)


def _log_odds(probability: float) -> float:
    # In double precision a calibrated probability can round to 1.
    odds = probability / max(1 - probability, 1e-12)
    return log(max(odds, 1e-12))
