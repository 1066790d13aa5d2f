"""Several looks: crops of a photo, and how they and the whole photo become one answer.

A flower that is small in the frame, or one of several, is often named better in a crop. So where the whole photo leaves
doubt, overlapping square crops in a few sizes are looked at in one batch, and `combined` makes one answer of all looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import MIN_SIDE, PixelBox
from flowers_core.inference.prediction import softmax

#: Sides of the crops, as fractions of the photo's short side.
CROP_SIDES = (1.0, 0.7, 0.45)
#: From one crop to the next, at most, as a fraction of the crop's side.
CROP_STEP = 0.55
#: The smallest sizes are left out of a long strip of a photo, so that there are no more crops than this.
MAX_CROPS = 100
_SPARE = 1.5
# Beyond so many a probability is 0 or 1 for all purposes.
_MOST_NATS = 10.0


#: The bar of answers that are never given without doubt.
NEVER = 2.0


@dataclass(frozen=True)
class LooksCertainty:
    """How probable it is that the answer of all looks is right, where crops decided it: a logistic regression.

    Attributes:
        intercept: in nats.
        together: the weight of the answer's log-odds in all looks together.
        whole: the weight of its log-odds in the whole photo.
        agreement: the weight, in nats, of the fraction of the crops that name it.
    """

    intercept: float
    together: float
    whole: float
    agreement: float

    def probability(self, together: ArrayLike, whole: ArrayLike, agreement: ArrayLike) -> NDArray[np.float64]:
        """The probability that each of n answers is right.

        Args:
            together, whole: (n,), its probability in all looks together and in the whole photo.
            agreement: (n,), the fraction of the crops that name it.

        Returns:
            (n,) float64 in (0, 1).
        """
        weights = np.array([self.together, self.whole, self.agreement])
        nats = self.intercept + looks_signals(together, whole, agreement) @ weights
        probability: NDArray[np.float64] = 1 / (1 + np.exp(-nats))
        return probability


@dataclass(frozen=True)
class SureCrops:
    """Crops that name a photo without doubt although as a whole it looks like none of the flowers.

    Attributes:
        count: so many at least, each named without doubt by itself, and all alike.
        probability: that their flower is right, in (0, 1).
    """

    count: int
    probability: float


@dataclass(frozen=True)
class LooksRule:
    """How the whole photo and its crops become one answer.

    The mean q of the probabilities is taken over the `share` of the crops that are surest of whatever they show: the
    others mostly show leaves. The answer's probabilities are proportional to p ** whole_weight · (q + floor) **
    crops_weight, where p are those of the whole photo.

    Attributes:
        share: in (0, 1]; at least one crop counts.
        whole_weight, crops_weight: above 0.
        floor: above 0; what a class is left with that no crop names.
        naming: in [0, 1], the probability from which on a crop names its flower.
        sure_from: in [0, 1], the least probability of an answer that is given without doubt.
        novel_sure_from: the same where the whole photo looks like none of the flowers; above 1 where no probability is
            enough.
        sure_crops: the crops that are enough for such a photo; None where none are.
        certainty: what makes the probability of an answer that crops decided; None leaves it as it is.
        asks_novel: whether crops are asked where the whole photo looks like none of the flowers.
    """

    share: float
    whole_weight: float
    crops_weight: float
    floor: float
    naming: float
    sure_from: float
    novel_sure_from: float = NEVER
    certainty: LooksCertainty | None = None
    sure_crops: SureCrops | None = None
    asks_novel: bool = True

    def __post_init__(self) -> None:
        if not (0 < self.share <= 1 and min(self.whole_weight, self.crops_weight, self.floor) > 0):
            raise ValueError("the share of a rule for looks lies between 0 and 1; its weights and floor are above 0.")


# For bundles without a fitted confidence; those with one have a rule of their own (`evaluation.looks_fit`). Chosen by
# the likelihood of the true classes of doubtful validation photos, 110 clean ones and 158 under all fourteen
# corruptions, as efficientnet_lite0_small reads them by its confidence and by its temperature. Of these 62 and 53 % are
# named rightly from one look, 66 and 67 % from all. Tried instead: each class's own strongest crops, geometric means,
# leaving out each crop that looks like no flower; the number of agreeing crops adds nothing to the probability. From
# `sure_from` on, 98 % of the answers are right by both readings together. Where no crop that names the answer looks
# like it, the whole photo's answer stays: of 102 other validation photos under motion blur 57 % of the doubtful ones
# are then named rightly, of the small ones 86 % (one look 60 and 44 %, all looks without that condition 42 and 86 %).
LOOKS_RULE = LooksRule(share=1 / 3, whole_weight=0.4, crops_weight=0.8, floor=0.001, naming=0.5, sure_from=0.93)


def looks_rule(sure_from: float) -> LooksRule:
    """`LOOKS_RULE` for a bundle to which no rule was fitted.

    Args:
        sure_from: its least probability of an answer without doubt; several looks ask for no less.
    """
    return replace(LOOKS_RULE, sure_from=max(LOOKS_RULE.sure_from, sure_from))


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


def combined(
    whole: NDArray[np.float64], crops: NDArray[np.float64], rule: LooksRule = LOOKS_RULE
) -> NDArray[np.float64]:
    """The probabilities of the classes from all looks.

    Args:
        whole: (classes,), of the whole photo.
        crops: (n, classes), of its crops, at least one.
        rule: what counts how much.

    Returns:
        (classes,) float64, sums to 1.
    """
    return weighed(whole, surest_mean(crops, rule.share), rule)


def surest_mean(crops: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The mean of the crops that are surest of whatever they show.

    Args:
        crops: (n, classes), the probabilities of each crop, n ≥ 1.
        share: of the crops that count, in (0, 1]; at least one does.

    Returns:
        (classes,) float64.
    """
    surest = np.argsort(-crops.max(axis=1), kind="stable")[: ceil(share * len(crops))]
    mean: NDArray[np.float64] = crops[surest].mean(axis=0)
    return mean


def weighed(whole: NDArray[np.float64], named: NDArray[np.float64], rule: LooksRule) -> NDArray[np.float64]:
    """The probabilities from the whole photo and the crops' mean, by the weights of a rule.

    Args:
        whole, named: (…, classes), of the same shape.
        rule: has the weights and the floor.

    Returns:
        The same shape, float64; the last axis sums to 1.
    """
    nats = rule.whole_weight * np.log(np.maximum(whole, 1e-6)) + rule.crops_weight * np.log(named + rule.floor)
    return softmax(nats)


def looks_signals(together: ArrayLike, whole: ArrayLike, agreement: ArrayLike) -> NDArray[np.float64]:
    """What `LooksCertainty` weighs.

    Args:
        together, whole, agreement: (n,), as there.

    Returns:
        (n, 3) float64: two log-odds in nats, and the agreement.
    """
    odds = [[_log_odds(probability) for probability in np.asarray(each).tolist()] for each in (together, whole)]
    return np.stack([*np.clip(odds, -_MOST_NATS, _MOST_NATS), np.asarray(agreement, np.float64)], axis=1)


def agreeing_crops(
    crops: NDArray[np.float64], familiar: NDArray[np.bool_], column: int, rule: LooksRule = LOOKS_RULE
) -> NDArray[np.int64]:
    """The crops that name a class, where one of them looks like it; else none.

    Crops of a toadstool may all say cyclamen. They are believed where one looks like what it names.

    Args:
        crops: (n, classes), the probabilities of each crop.
        familiar: (n,), whether each looks like the flower that it is called.
        column: of the class.
        rule: from which probability on a crop names a flower.

    Returns:
        Their rows.
    """
    names = (crops.argmax(axis=1) == column) & (crops[:, column] >= rule.naming)
    return np.flatnonzero(names) if (names & familiar).any() else np.empty(0, np.int64)


def sure_alike(crops: NDArray[np.float64], familiar: NDArray[np.bool_], column: int, sure_from: float) -> int:
    """How many crops name a class without doubt, each by itself; 0 where one so names another class.

    Args:
        crops: (n, classes), the probabilities of each crop.
        familiar: (n,), whether each looks like the flower that it is called.
        column: of the class.
        sure_from: the probability from which on one look names a flower without doubt.
    """
    named = crops[familiar & (crops.max(axis=1) >= sure_from)].argmax(axis=1)
    return len(named) if (named == column).all() else 0


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


def _log_odds(probability: float) -> float:
    # In double precision a calibrated probability can round to 1.
    odds = probability / max(1 - probability, 1e-12)
    return log(max(odds, 1e-12))
