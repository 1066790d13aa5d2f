"""Multi-crop: is there a crop of the photo that names its flower better than the whole photo does?

A flower that is small in the frame, or one of several, is named far better in a crop. So overlapping square crops in a
few sizes are answered in one batch, and a name is suggested where they agree (`consensus`). The rule was chosen on
validation photos, clean and corrupted, by a model that had not learnt from them, and on 375 pictures without a flower.
Two safeguards matter. No crop may name a rival class: blur and noise otherwise cause false switches. One agreeing crop
must lie near its class prototype: otherwise 1 in 9 flowerless pictures yields a flower. The result remains a
suggestion; `flowers study evaluate_multi_crop` and `flowers study evaluate_external` measure what it gives.
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
from flowers_core.inference.prototypes import Prototypes
from flowers_core.inference.runtime import Runtime

#: Sides of the crops, as fractions of the photo's short side.
CROP_SIDES = (1.0, 0.7, 0.5, 0.35)
#: From one crop to the next, at most, as a fraction of the crop's side.
CROP_STEP = 0.55
#: The smallest sizes are left out of a long strip of a photo, so that there are no more crops than this.
MAX_CROPS = 100
#: A crop names a class from this calibrated probability on.
NAMING_PROBABILITY = 0.8
#: Crops that must name the class.
MIN_AGREEING = 3
#: The odds of the class in its surest crop, over the odds that any crop gives to any other class.
MIN_ODDS_RATIO = 10


@dataclass(frozen=True)
class CropSuggestion:
    """A name that crops of a photo agree on.

    Attributes:
        label: the class, 1-based.
        box: the crop to look at, left, top, right, bottom in pixels of the photo: one that is both confident and in the
            middle of those that agree, since the most confident one often shows a mere edge of the flower.
        probability: of the class in that crop, calibrated.
        agreeing: how many crops name the class.
        crops: how many were answered.
    """

    label: int
    box: PixelBox
    probability: float
    agreeing: int
    crops: int


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

    If even the smallest crop has more pixels than the model takes, the whole photo is first scaled down until that crop
    has just enough. To scale down dozens of crops of a camera's photo one by one would take seconds.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        boxes: left, top, right, bottom of each of the n crops in pixels.
        rule: size and crop of the model's input.

    Returns:
        (n, size, size, 3) uint8.
    """
    height, width = pixels.shape[:2]
    smallest = min(right - left for left, _, right, _ in boxes)
    scale = min(1.0, rule.size / rule.crop_fraction / smallest)
    if scale < 1:
        size = (round(width * scale), round(height * scale))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    inputs = []
    for box in boxes:
        left, top, right, bottom = (round(edge * scale) for edge in box)
        inputs.append(model_input(np.ascontiguousarray(pixels[top:bottom, left:right]), rule).pixels)
    return np.stack(inputs)


def consensus(
    probabilities: NDArray[np.floating],
    boxes: list[PixelBox],
    embeddings: NDArray[np.floating] | None = None,
    prototypes: Prototypes | None = None,
) -> CropSuggestion | None:
    """The name that the crops agree on, if they do.

    Args:
        probabilities: (crops, classes), calibrated.
        boxes: one for each crop.
        embeddings: (crops, c), which are compared with the prototypes.
        prototypes: of the classes; without them or the embeddings no crop must lie near a prototype.

    Returns:
        The suggestion; None if the crops do not agree.
    """
    best = probabilities.max(axis=0)
    first = int(best.argmax())
    agreeing = np.flatnonzero(probabilities[:, first] >= NAMING_PROBABILITY)
    if not (
        _only_class_named(probabilities, first)
        and _clearly_ahead(best, first)
        and (prototypes is None or embeddings is None or _near_prototype(embeddings[agreeing], prototypes, first))
    ):
        return None
    shown = int(agreeing[consensus_scores(probabilities[agreeing, first], [boxes[at] for at in agreeing]).argmax()])
    return CropSuggestion(first + 1, boxes[shown], float(probabilities[shown, first]), len(agreeing), len(boxes))


def _only_class_named(probabilities: NDArray[np.floating], column: int) -> bool:
    """Whether enough crops name the class and none names another."""
    naming = (probabilities >= NAMING_PROBABILITY).sum(axis=0)
    return bool(naming[column] >= MIN_AGREEING and naming.sum() == naming[column])


def _clearly_ahead(best: NDArray[np.floating], column: int) -> bool:
    """Whether the best odds of the class exceed the best odds of any other by `MIN_ODDS_RATIO`."""
    rival = np.delete(best, column).max()
    return _log_odds(best[column]) - _log_odds(rival) >= log(MIN_ODDS_RATIO)


def _near_prototype(embeddings: NDArray[np.floating], prototypes: Prototypes, column: int) -> bool:
    """Whether one of the crops that name the class lies near its prototype."""
    return bool(prototypes.within_threshold(embeddings, column + 1).any())


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
    return np.array([_log_odds(probability) for probability in probabilities]) * overlap


def suggest_crop(
    pixels: NDArray[np.uint8],
    runtime: Runtime,
    rule: CropRule,
    temperature: float = 1.0,
    prototypes: Prototypes | None = None,
) -> CropSuggestion | None:
    """Classify the crops of a photo, and suggest the name on which they agree.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        runtime: the model.
        rule: size and crop of its input.
        temperature: divides its logits, above 0.
        prototypes: of its classes; without them many pictures without a flower get a suggestion.

    Returns:
        The suggestion; None if the crops do not agree or are too few.
    """
    boxes = crop_boxes(pixels.shape[1], pixels.shape[0])
    if len(boxes) < MIN_AGREEING:
        return None
    found = runtime.forward(crop_inputs(pixels, boxes, rule))
    return consensus(softmax(found.logits, temperature), boxes, found.embedding, prototypes)


def _log_odds(probability: float) -> float:
    # In double precision a calibrated probability can round to 1.
    odds = probability / max(1 - probability, 1e-12)
    return log(max(odds, 1e-12))
