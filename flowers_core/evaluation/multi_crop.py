"""Evaluates what looking at crops gives where the whole photo leaves doubt, on clean and corrupted photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flowers_core.data.batches import stratified_sample
from flowers_core.data.corruptions import CORRUPTIONS, corrupted
from flowers_core.data.dataset import Dataset
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.evaluation.calibration import confidence_ece
from flowers_core.inference.answerer import Answer, Answerer
from flowers_core.inference.prediction import Prediction
from flowers_core.inference.records.multi_crop import MultiCropCounts, MultiCropMetrics

FORMAT = "int8"
#: The name of the uncorrupted photos among the corruptions.
CLEAN = "as they are"


@dataclass(frozen=True)
class Outcome:
    """An answer, judged.

    Attributes:
        right: whether it is.
        sure: whether it is given without doubt.
        probability: of the answer, in [0, 1].
    """

    right: bool
    sure: bool
    probability: float


@dataclass(frozen=True)
class Case:
    """The result for one photo.

    Attributes:
        whole: from one look at the whole photo.
        combined: from all looks.
        decided: whether a crop decided.
    """

    whole: Outcome
    combined: Outcome
    decided: bool


def evaluate_multi_crop(
    answerer: Answerer,
    flowers: Dataset,
    split: str,
    *,
    photos: int,
    seed: int,
    track: Track = untracked,
) -> MultiCropMetrics:
    """Compare one look with all looks.

    Args:
        answerer: of a bundle that was not trained on that split, with its INT8 model.
        flowers: the data set.
        split: "validation" or "test".
        photos: how many of the split, stratified by class.
        seed: draws them.
        track: shows progress over the photos.

    Returns:
        The counts of each corruption, and of CLEAN.

    Raises:
        BundleError: if the bundle has learnt from the split.
    """
    bundle = answerer.bundle
    bundle.require_unseen(split)
    cases: dict[str, list[Case]] = {kind: [] for kind in (CLEAN, *CORRUPTIONS)}
    for photo_id in track(stratified_sample(flowers, split, photos, seed).tolist(), "photos"):
        pixels, label = open_photo(flowers.path(photo_id)).pixels, flowers.label_of(photo_id)
        for kind, found in cases.items():
            seen = pixels if kind == CLEAN else corrupted(pixels, kind, photo_id)
            found.append(case_of(answerer.answer(seen), label))
    counts = {kind: count_cases(found) for kind, found in cases.items()}
    return MultiCropMetrics(FORMAT, len(cases[CLEAN]), seed, counts)


def case_of(answer: Answer, label: int) -> Case:
    """An answer compared with the true class.

    Args:
        answer: from all looks.
        label: the true class, 1-based.
    """
    decided = answer.looks is not None and answer.looks.box is not None
    return Case(_outcome(answer.whole, label), _outcome(answer.prediction, label), decided)


def count_cases(cases: Sequence[Case]) -> MultiCropCounts:
    """How often one look and all looks are right and sure. There must be at least one case."""
    decided = [case for case in cases if case.decided]
    whole, combined = [case.whole for case in cases], [case.combined for case in cases]
    return MultiCropCounts(
        top1=float(np.mean([one.right for one in whole])),
        abstained=sum(not one.sure for one in whole),
        suggested=len(decided),
        suggested_correct=sum(case.combined.right for case in decided),
        answered_correct=sum(case.whole.right for case in decided),
        top1_applied=float(np.mean([one.right for one in combined])),
        sure_correct=sum(one.sure and one.right for one in whole),
        sure_applied=sum(one.sure for one in combined),
        sure_applied_correct=sum(one.sure and one.right for one in combined),
        ece=_ece(whole),
        ece_applied=_ece(combined),
    )


def _outcome(prediction: Prediction, label: int) -> Outcome:
    best = prediction.candidates[0]
    return Outcome(best.label == label, prediction.sure, best.probability)


def _ece(outcomes: Sequence[Outcome]) -> float:
    return confidence_ece([one.probability for one in outcomes], [one.right for one in outcomes])
