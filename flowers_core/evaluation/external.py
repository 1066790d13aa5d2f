"""Evaluates a model on external photos: of flowers that it knows, and of no flower, for which every class is wrong.

These photos are too few to choose a model by, and no model was chosen by them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowers_core.data.download.external import FLOWERS, NO_FLOWER
from flowers_core.data.photo_files import photos_in
from flowers_core.data.photo_folder import PhotoFolderError, scan_folder
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.multi_crop import FORMAT
from flowers_core.evaluation.robustness import HIGH_CONFIDENCE
from flowers_core.inference.answerer import Answerer
from flowers_core.inference.prediction import Prediction
from flowers_core.inference.records.external import (
    ExternalClass,
    ExternalFlowers,
    ExternalMetrics,
    ExternalWithoutFlower,
)

_TOP = 5


@dataclass(frozen=True)
class ExternalAnswer:
    """What the model says of a photo.

    Attributes:
        label: the true class, 1-based; None for no flower.
        ranking: the most probable classes, the most probable first.
        probability: of the first, in [0, 1].
        sure: the verdict.
        decided: whether a crop decided.
    """

    label: int | None
    ranking: tuple[int, ...]
    probability: float
    sure: bool
    decided: bool = False

    @property
    def right(self) -> bool:
        """Whether the first class is the true one."""
        return self.ranking[0] == self.label

    @property
    def is_high_confidence_error(self) -> bool:
        """Whether the answer is wrong at a probability of at least HIGH_CONFIDENCE."""
        return not self.right and self.probability >= HIGH_CONFIDENCE


def evaluate_external(
    answerer: Answerer, folder: Path, *, track: Track = untracked
) -> tuple[ExternalMetrics, ExternalMetrics]:
    """The figures of a bundle on the external photos in a folder.

    Args:
        answerer: of the bundle, with its INT8 model.
        folder: as `download_external` leaves it.
        track: shows progress over the photos.

    Returns:
        The figures on flowers, on each class shown, and on photos without a flower: from one look at each photo, and
        from all looks.

    Raises:
        PhotoFolderError: if the photos are not there.
    """
    first, combined = [], []
    for path, label in track(external_photos(folder), "photos"):
        answer = answerer.answer(open_photo(path).pixels)
        decided = answer.looks is not None and answer.looks.box is not None
        first.append(_external_answer(answer.whole, label))
        combined.append(_external_answer(answer.prediction, label, decided=decided))
    return _metrics(first), _metrics(combined)


def external_photos(folder: Path) -> list[tuple[Path, int | None]]:
    """Every external photo with its label, or None for no flower. Raises PhotoFolderError if they are not there."""
    if not (folder / FLOWERS).is_dir() or not (folder / NO_FLOWER).is_dir():
        raise PhotoFolderError(f"There are no such photos in {folder}; `flowers study download_external` brings them.")
    named = [(photo.path, photo.label) for photo in scan_folder(folder / FLOWERS, load_taxonomy()).photos]
    return [*named, *((path, None) for path in photos_in(folder / NO_FLOWER))]


def count_flowers(answers: Sequence[ExternalAnswer]) -> ExternalFlowers:
    """The figures on photos of flowers, of which there must be at least one."""
    decided = [answer for answer in answers if answer.decided]
    return ExternalFlowers(
        photos=len(answers),
        top1=float(np.mean([answer.right for answer in answers])),
        top5=float(np.mean([answer.label in answer.ranking for answer in answers])),
        high_confidence_errors=sum(answer.is_high_confidence_error for answer in answers),
        sure=sum(answer.sure for answer in answers),
        sure_correct=sum(answer.sure and answer.right for answer in answers),
        suggested=len(decided),
        suggested_correct=sum(answer.right for answer in decided),
    )


def count_classes(answers: Sequence[ExternalAnswer]) -> dict[str, ExternalClass]:
    """The counts of each true class, by its English name."""
    by_name: dict[str, list[ExternalAnswer]] = {}
    for answer in answers:
        by_name.setdefault(load_taxonomy()[answer.label or 0].name, []).append(answer)
    return {
        name: ExternalClass(len(of), sum(one.right for one in of), sum(one.label in one.ranking for one in of))
        for name, of in by_name.items()
    }


def count_without_flower(answers: Sequence[ExternalAnswer]) -> ExternalWithoutFlower:
    """The figures on photos without a flower: how often the model claims one."""
    return ExternalWithoutFlower(
        photos=len(answers),
        high_confidence_errors=sum(answer.is_high_confidence_error for answer in answers),
        sure=sum(answer.sure for answer in answers),
        suggested=sum(answer.decided for answer in answers),
    )


def _external_answer(prediction: Prediction, label: int | None, *, decided: bool = False) -> ExternalAnswer:
    ranking = tuple(candidate.label for candidate in prediction.candidates[:_TOP])
    return ExternalAnswer(label, ranking, prediction.candidates[0].probability, prediction.sure, decided)


def _metrics(answers: Sequence[ExternalAnswer]) -> ExternalMetrics:
    flowers = [answer for answer in answers if answer.label is not None]
    others = [answer for answer in answers if answer.label is None]
    return ExternalMetrics(FORMAT, count_flowers(flowers), count_classes(flowers), count_without_flower(others))
