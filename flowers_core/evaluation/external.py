"""Evaluates a model on external photos: of flowers that it knows, and of no flower, for which every class is wrong.

These photos are too few to choose a model by, and no model was chosen by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowers_core.data.download.external import FLOWERS, NO_FLOWER
from flowers_core.data.photo_files import is_photo
from flowers_core.data.photo_folder import PhotoFolderError, scan_folder
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.multi_crop import FORMAT, Answerer
from flowers_core.evaluation.robustness import HIGH_CONFIDENCE
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.prototypes import Prototypes
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
        suggested: the class that crops suggest if the model is not sure; None without a suggestion.
    """

    label: int | None
    ranking: tuple[int, ...]
    probability: float
    sure: bool
    suggested: int | None

    @property
    def right(self) -> bool:
        """Whether the first class is the true one."""
        return self.ranking[0] == self.label

    @property
    def is_high_confidence_error(self) -> bool:
        """Whether the answer is wrong at a probability of at least HIGH_CONFIDENCE."""
        return not self.right and self.probability >= HIGH_CONFIDENCE


def evaluate_external(
    bundle: Bundle, prototypes: Prototypes | None, folder: Path, *, track: Track = untracked
) -> ExternalMetrics:
    """The figures of a bundle on the external photos in a folder.

    Args:
        bundle: calibrated.
        prototypes: of its classes.
        folder: as `download_external` leaves it.
        track: shows progress over the photos.

    Returns:
        The figures on flowers, on each class shown, and on photos without a flower.

    Raises:
        BundleError: if the bundle is not calibrated.
        PhotoFolderError: if the photos are not there.
    """
    answerer = Answerer(bundle, prototypes)
    answers = []
    for path, label in track(external_photos(folder), "photos"):
        prediction, suggested = answerer.answer(open_photo(path).pixels)
        ranking = tuple(candidate.label for candidate in prediction.candidates[:_TOP])
        best = prediction.candidates[0].probability
        answers.append(ExternalAnswer(label, ranking, best, prediction.sure, suggested))
    flowers = [answer for answer in answers if answer.label is not None]
    others = [answer for answer in answers if answer.label is None]
    return ExternalMetrics(FORMAT, count_flowers(flowers), count_classes(flowers), count_without_flower(others))


def external_photos(folder: Path) -> list[tuple[Path, int | None]]:
    """Every external photo with its label, or None for no flower. Raises PhotoFolderError if they are not there."""
    if not (folder / FLOWERS).is_dir() or not (folder / NO_FLOWER).is_dir():
        raise PhotoFolderError(f"There are no such photos in {folder}; `flowers study download_external` brings them.")
    others = sorted(path for path in (folder / NO_FLOWER).iterdir() if is_photo(path))
    named = [(photo.path, photo.label) for photo in scan_folder(folder / FLOWERS, load_taxonomy()).photos]
    return [*named, *((path, None) for path in others)]


def count_flowers(answers: Sequence[ExternalAnswer]) -> ExternalFlowers:
    """The figures on photos of flowers, of which there must be at least one."""
    suggested = [answer for answer in answers if answer.suggested is not None]
    return ExternalFlowers(
        photos=len(answers),
        top1=float(np.mean([answer.right for answer in answers])),
        top5=float(np.mean([answer.label in answer.ranking for answer in answers])),
        high_confidence_errors=sum(answer.is_high_confidence_error for answer in answers),
        sure=sum(answer.sure for answer in answers),
        sure_correct=sum(answer.sure and answer.right for answer in answers),
        suggested=len(suggested),
        suggested_correct=sum(answer.suggested == answer.label for answer in suggested),
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
        suggested=sum(answer.suggested is not None for answer in answers),
    )
