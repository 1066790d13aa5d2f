"""Evaluates the suggestions that crops of a photo give when the model is not sure of the whole photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import stratified_sample
from flowers_core.data.corruptions import CORRUPTIONS, corrupted
from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.inference.bundle import Bundle, BundleError
from flowers_core.inference.confidence_head import answerer
from flowers_core.inference.multi_crop import suggest_crop
from flowers_core.inference.prediction import Prediction
from flowers_core.inference.prototypes import Prototypes
from flowers_core.inference.records.multi_crop import MultiCropCounts, MultiCropMetrics
from flowers_core.inference.runtime import open_runtime

FORMAT = "int8"
#: The name of the uncorrupted photos among the corruptions.
CLEAN = "as they are"


class Answerer:
    """Answers photos as *Identify* does, with the model that it uses: with a suggestion if the model is not sure."""

    def __init__(self, bundle: Bundle, prototypes: Prototypes | None) -> None:
        """Load the bundle's INT8 model.

        Args:
            bundle: calibrated.
            prototypes: of its classes; a suggestion must lie near one.

        Raises:
            BundleError: if the bundle is not calibrated.
        """
        self._calibration = bundle.require_calibration()
        self._runtime = open_runtime(bundle, FORMAT)
        self._rule, self._prototypes = bundle.crop_rule, prototypes
        self._read = answerer(bundle, self._runtime, bundle.taxonomy)

    def answer(self, pixels: NDArray[np.uint8]) -> tuple[Prediction, int | None]:
        """Predict a photo, and if the model is not sure, its crops.

        Args:
            pixels: (h, w, 3) uint8.

        Returns:
            The prediction, and the label that crops suggest, 1-based; None without a suggestion.
        """
        prediction = self._read(model_input(pixels, self._rule).pixels)
        if prediction.sure:
            return prediction, None
        found = suggest_crop(pixels, self._runtime, self._rule, self._calibration.temperature, self._prototypes)
        return prediction, found.label if found else None


@dataclass(frozen=True)
class Case:
    """The result for one photo.

    Attributes:
        sure: whether the model was sure.
        right: whether its answer is right.
        suggested: whether the suggestion is right; None without a suggestion.
    """

    sure: bool
    right: bool
    suggested: bool | None


def evaluate_multi_crop(
    bundle: Bundle,
    prototypes: Prototypes | None,
    flowers: OxfordFlowers,
    split: str,
    *,
    photos: int,
    seed: int,
    track: Track = untracked,
) -> MultiCropMetrics:
    """Compare suggestions with the truth and with the first answer, on clean and corrupted photos.

    Args:
        bundle: calibrated, and not trained on that split.
        prototypes: of its classes.
        flowers: the data set.
        split: "validation" or "test".
        photos: how many of the split, stratified by class.
        seed: draws them.
        track: shows progress over the photos.

    Returns:
        The counts of each corruption, and of CLEAN.

    Raises:
        BundleError: if the bundle has learnt from the split, or is not calibrated.
    """
    if split in bundle.fitted_splits:
        raise BundleError(f"'{bundle.name}' has learnt from the {split} photos: they cannot tell what it gains.")
    answerer = Answerer(bundle, prototypes)
    cases: dict[str, list[Case]] = {kind: [] for kind in (CLEAN, *CORRUPTIONS)}
    for photo_id in track(stratified_sample(flowers, split, photos, seed).tolist(), "photos"):
        pixels, label = open_photo(flowers.path(photo_id)).pixels, flowers.label_of(photo_id)
        for kind, found in cases.items():
            seen = pixels if kind == CLEAN else corrupted(pixels, kind, photo_id)
            prediction, suggestion = answerer.answer(seen)
            right = prediction.candidates[0].label == label
            found.append(Case(prediction.sure, right, None if suggestion is None else suggestion == label))
    counts = {kind: count_cases(found) for kind, found in cases.items()}
    return MultiCropMetrics(FORMAT, len(cases[CLEAN]), seed, counts)


def count_cases(cases: Sequence[Case]) -> MultiCropCounts:
    """How often the model abstains, and how often suggestions are right then. There must be at least one case."""
    suggested = [case for case in cases if case.suggested is not None]
    applied = [case.right if case.suggested is None else case.suggested for case in cases]
    return MultiCropCounts(
        top1=float(np.mean([case.right for case in cases])),
        abstained=sum(not case.sure for case in cases),
        suggested=len(suggested),
        suggested_correct=sum(bool(case.suggested) for case in suggested),
        answered_correct=sum(case.right for case in suggested),
        top1_applied=float(np.mean(applied)),
    )
