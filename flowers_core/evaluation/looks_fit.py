"""Fit how several looks become one answer, to photos whose whole leaves a bundle in doubt.

The photos are validation photos, clean and corrupted, and pictures without a flower, as the bundle's own confidence
reads them and their crops. The rule is chosen by the likelihood of the true classes in the answers that would be given:
where no crop looks like what it names, the whole photo's answer stays, and counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import model_input
from flowers_core.evaluation.confidence_fit import SURE_CORRUPTED_ACCURACY, least_reliable
from flowers_core.evaluation.evidence import NO_CLASS, Shown
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.multi_crop import (
    LOOKS_RULE,
    LooksRule,
    agreeing_crops,
    combined,
    crop_boxes,
    crop_inputs,
)
from flowers_core.inference.reading import Reader
from flowers_core.inference.runtime import Runtime

_SHARES, _FLOORS = (1 / 6, 1 / 3, 2 / 3), (0.001, 0.01)
_WHOLE_WEIGHTS, _CROPS_WEIGHTS = (0.2, 0.4, 0.6, 0.8, 1.0), (0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0)
# What names a photo without doubt needs so many photos that speak for it.
_ENOUGH = 20
_NEVER = 2.0


@dataclass(frozen=True, eq=False)
class DoubtfulPhoto:
    """A photo whose whole leaves doubt, and its crops.

    Attributes:
        label: the true class, 1-based, or `NO_CLASS`.
        whole: (classes,) float64, the probabilities from the whole photo.
        familiar: whether the whole looks like the flower that it is called.
        crops: (n, classes) float64, those from each crop, n ≥ 1.
        familiar_crops: (n,) bool, whether each looks like the flower that it is called.
    """

    label: int
    whole: NDArray[np.float64]
    familiar: bool
    crops: NDArray[np.float64]
    familiar_crops: NDArray[np.bool_]


def doubtful_photos(
    bundle: Bundle, runtime: Runtime, reader: Reader, shown: Iterable[Shown]
) -> Iterator[DoubtfulPhoto]:
    """Those of the pictures that one look leaves in doubt and that have crops, with what the crops say.

    Args:
        bundle: whose model looks.
        runtime: the model.
        reader: reads what it says.
        shown: the pictures.
    """
    for picture in shown:
        height, width = picture.pixels.shape[:2]
        forward = runtime.forward(model_input(picture.pixels, bundle.crop_rule).pixels[None])
        boxes = crop_boxes(width, height)
        if not boxes or reader.predict(forward, bundle.taxonomy).sure:
            continue
        whole, crops = (
            reader.read(forward),
            reader.read(runtime.forward(crop_inputs(picture.pixels, boxes, bundle.crop_rule))),
        )
        yield DoubtfulPhoto(
            picture.label, whole.probabilities[0], bool(whole.familiar[0]), crops.probabilities, crops.familiar
        )


def fit_looks(
    clean: Sequence[DoubtfulPhoto], corrupted: Sequence[DoubtfulPhoto], others: Sequence[DoubtfulPhoto]
) -> LooksRule:
    """The rule for several looks.

    Args:
        clean: doubtful photos of flowers that the network has not learnt from, at least one.
        corrupted: corrupted ones, at least one; both parts weigh the same in sum.
        others: pictures without a flower.

    Returns:
        The rule whose answers make the true classes likeliest. From `sure_from` on, `SURE_CORRUPTED_ACCURACY` of the
        answers to photos of flowers are right, and no picture without a flower gets one. `novel_sure_from` is the same
        among photos that as a whole look like none of the flowers.
    """
    parts = [part for part in (clean, corrupted) if part]
    photos = [photo for part in parts for photo in part]
    weights = np.concatenate([np.full(len(part), 1 / len(part)) for part in parts])
    rules = [
        replace(LOOKS_RULE, share=share, floor=floor, whole_weight=whole, crops_weight=crops)
        for share, floor, whole, crops in product(_SHARES, _FLOORS, _WHOLE_WEIGHTS, _CROPS_WEIGHTS)
    ]
    rule = min(rules, key=lambda rule: float(weights @ [_surprise(photo, rule) for photo in photos]))
    bars = [
        _sure_from(rule, *([p for p in part if p.familiar == familiar] for part in (photos, others)))
        for familiar in (True, False)
    ]
    return replace(rule, sure_from=bars[0], novel_sure_from=max(bars))


def _answer(photo: DoubtfulPhoto, rule: LooksRule) -> tuple[NDArray[np.float64], bool]:
    """The probabilities of the answer that is given, and whether crops decided it."""
    probabilities = combined(photo.whole, photo.crops, rule)
    agreeing = agreeing_crops(photo.crops, photo.familiar_crops, int(probabilities.argmax()), rule)
    return (probabilities, True) if len(agreeing) else (photo.whole, False)


def _surprise(photo: DoubtfulPhoto, rule: LooksRule) -> float:
    return -float(np.log(max(_answer(photo, rule)[0][photo.label - 1], 1e-6)))


def _sure_from(rule: LooksRule, photos: Sequence[DoubtfulPhoto], others: Sequence[DoubtfulPhoto]) -> float:
    answers = [(photo.label, *_answer(photo, rule)) for photo in (*photos, *others)]
    decided = [(label, found) for label, found, by_crops in answers if by_crops]
    flowers = [(float(found.max()), bool(found.argmax() + 1 == label)) for label, found in decided if label != NO_CLASS]
    if len(flowers) < _ENOUGH:
        return _NEVER
    confidence, right = np.array([one for one, _ in flowers]), np.array([one for _, one in flowers])
    highest = max((float(found.max()) for label, found in decided if label == NO_CLASS), default=0.0)
    return max(least_reliable(confidence, right, SURE_CORRUPTED_ACCURACY), float(np.nextafter(highest, 1.0)))
