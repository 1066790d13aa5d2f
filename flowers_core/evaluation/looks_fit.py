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
from sklearn.linear_model import LogisticRegression

from flowers_core.data.model_input import model_input
from flowers_core.evaluation.confidence_fit import SURE_CORRUPTED_ACCURACY, least_reliable
from flowers_core.evaluation.evidence import NO_CLASS, Shown
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.looks_rule import (
    LOOKS_RULE,
    NEVER,
    LooksCertainty,
    LooksRule,
    agreeing_crops,
    looks_signals,
    surest_mean,
    weighed,
)
from flowers_core.inference.multi_crop import crop_boxes, crop_inputs
from flowers_core.inference.reading import Reader
from flowers_core.inference.runtime import Runtime

_SHARES, _FLOORS = (1 / 6, 1 / 3, 2 / 3), (0.001, 0.01)
_WHOLE_WEIGHTS, _CROPS_WEIGHTS = (0.2, 0.4, 0.6, 0.8, 1.0), (0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0)
# So many photos must speak for what names others without doubt, and so many answers be right, and wrong, for certainty.
_ENOUGH = 20
_REGULARIZATION = 1.0


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
    clean: Sequence[DoubtfulPhoto],
    corrupted: Sequence[DoubtfulPhoto],
    others: Sequence[DoubtfulPhoto],
    *,
    least: float = 0.0,
) -> LooksRule:
    """The rule for several looks.

    Args:
        clean: doubtful photos of flowers that the network has not learnt from, at least one.
        corrupted: corrupted ones, at least one; both parts weigh the same in sum.
        others: pictures without a flower.
        least: in [0, 1], the least probability of an answer without doubt from one look; several looks, which are tried
            where that one failed, ask for no less.

    Returns:
        The rule whose answers make the true classes likeliest, with the certainty of those that crops decide. From
        `sure_from` on, `SURE_CORRUPTED_ACCURACY` of these are right; those to pictures without a flower are wrong. What
        as a whole looks like none of the flowers has a bar of its own, from which on as many answers are right. So few
        photos tell where the bars lie that none is below that share itself.
    """
    parts = [part for part in (clean, corrupted) if part]
    photos = [photo for part in parts for photo in part]
    weights = np.concatenate([np.full(len(part), 1 / len(part)) for part in parts])
    rows, columns = np.arange(len(photos)), np.array([photo.label - 1 for photo in photos])

    def surprise(rule: LooksRule, answers: _Answers) -> float:
        found, _ = answers.by(rule)
        return -float(weights @ np.log(np.maximum(found[rows, columns], 1e-6)))

    losses = {}
    for share in _SHARES:
        answers = _Answers.of(photos, share)
        for floor, whole, crops in product(_FLOORS, _WHOLE_WEIGHTS, _CROPS_WEIGHTS):
            rule = replace(LOOKS_RULE, share=share, floor=floor, whole_weight=whole, crops_weight=crops)
            losses[rule] = surprise(rule, answers)
    chosen = min(losses, key=lambda rule: losses[rule])
    decided = _decided(chosen, (*photos, *others))
    chosen, least = replace(chosen, certainty=_certainty(decided)), max(least, SURE_CORRUPTED_ACCURACY)
    return replace(
        chosen,
        sure_from=max(_sure_from(chosen, decided, decided.familiar), least),
        novel_sure_from=max(_sure_from(chosen, decided, ~decided.familiar), least),
    )


@dataclass(frozen=True, eq=False)
class _Decided:
    """The n answers that crops decided.

    Attributes:
        together, whole, agreement, likeness: (n,) float64, what `LooksCertainty` weighs.
        right: (n,), which of them are right.
        familiar: (n,), whether the photo as a whole looks like the flower that it is called.
        flower: (n,), whether the picture shows a flower.
    """

    together: NDArray[np.float64]
    whole: NDArray[np.float64]
    agreement: NDArray[np.float64]
    likeness: NDArray[np.float64]
    right: NDArray[np.bool_]
    familiar: NDArray[np.bool_]
    flower: NDArray[np.bool_]


def _decided(rule: LooksRule, photos: Sequence[DoubtfulPhoto]) -> _Decided:
    answers = _Answers.of(photos, rule.share)
    found, decided = answers.by(rule)
    rows, columns = np.arange(len(photos)), found.argmax(axis=1)
    agreeing = [
        agreeing_crops(photo.crops, photo.familiar_crops, column, rule)
        for photo, column in zip(photos, columns.tolist(), strict=True)
    ]
    labels = np.array([photo.label for photo in photos])
    every = (
        found[rows, columns],
        answers.whole[rows, columns],
        np.array([len(crops) / len(photo.crops) for crops, photo in zip(agreeing, photos, strict=True)]),
        np.array(
            [
                photo.familiar_crops[crops].sum() / len(photo.crops)
                for crops, photo in zip(agreeing, photos, strict=True)
            ]
        ),
        columns + 1 == labels,
        np.array([photo.familiar for photo in photos]),
        labels != NO_CLASS,
    )
    return _Decided(*(values[decided] for values in every))


def _certainty(decided: _Decided) -> LooksCertainty | None:
    """What makes the probability of the answers; None where too few are right or wrong to tell."""
    if min(decided.right.sum(), (~decided.right).sum()) < _ENOUGH:
        return None
    signals = looks_signals(decided.together, decided.whole, decided.agreement, decided.likeness)
    fitted = LogisticRegression(C=_REGULARIZATION, max_iter=1000).fit(signals, decided.right)
    return LooksCertainty(float(fitted.intercept_[0]), *fitted.coef_[0].tolist())


def _sure_from(rule: LooksRule, decided: _Decided, part: NDArray[np.bool_]) -> float:
    """The bar of those of the answers."""
    if (part & decided.flower).sum() < _ENOUGH:
        return NEVER
    probability = decided.together
    if rule.certainty is not None:
        probability = rule.certainty.probability(probability, decided.whole, decided.agreement, decided.likeness)
    return least_reliable(probability[part], decided.right[part], SURE_CORRUPTED_ACCURACY)


@dataclass(frozen=True, eq=False)
class _Answers:
    """What photos would be answered: the whole's probabilities, the crops' mean, and which classes crops bear out."""

    whole: NDArray[np.float64]
    named: NDArray[np.float64]
    believed: NDArray[np.bool_]

    @classmethod
    def of(cls, photos: Sequence[DoubtfulPhoto], share: float) -> _Answers:
        believed = np.zeros((len(photos), len(photos[0].whole)), np.bool_)
        for row, photo in enumerate(photos):
            for column in set(photo.crops.argmax(axis=1).tolist()):
                believed[row, column] = len(agreeing_crops(photo.crops, photo.familiar_crops, column)) > 0
        whole = np.stack([photo.whole for photo in photos])
        return cls(whole, np.stack([surest_mean(photo.crops, share) for photo in photos]), believed)

    def by(self, rule: LooksRule) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The probabilities of the answers that are given, and which of them crops decided."""
        together = weighed(self.whole, self.named, rule)
        decided = self.believed[np.arange(len(together)), together.argmax(axis=1)]
        return np.where(decided[:, None], together, self.whole), decided
