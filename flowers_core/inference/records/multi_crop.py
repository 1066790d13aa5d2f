"""What a manifest records of multi-crop: what several looks give beside one."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MultiCropCounts:
    """Figures of multi-crop on photos under one corruption.

    Attributes:
        top1: accuracy from one look at the whole photo, 0…1.
        abstained: number of photos whose verdict is not "sure" from one look: their crops are looked at too.
        suggested: number of these for which a crop decided.
        suggested_correct: number of right answers among those.
        answered_correct: number of them whose answer from one look is right.
        top1_applied: accuracy from all looks, 0…1.
        sure_correct: number of right answers among those that are sure from one look.
        sure_applied, sure_applied_correct: answers that are sure from all looks, and how many of these are right.
        ece, ece_applied: expected calibration error of the answers' probabilities, from one look and from all.
            These five are None in records from before crops and whole were combined.
    """

    top1: float
    abstained: int
    suggested: int
    suggested_correct: int
    answered_correct: int
    top1_applied: float
    sure_correct: int | None = None
    sure_applied: int | None = None
    sure_applied_correct: int | None = None
    ece: float | None = None
    ece_applied: float | None = None


@dataclass(frozen=True)
class MultiCropMetrics:
    """Figures of multi-crop on a sample of a split.

    Attributes:
        precision: the numeric format.
        photos: number of photos in the sample.
        seed: seed of the sample.
        corruptions: corruption → figures; the clean photos are among them.
    """

    precision: str
    photos: int
    seed: int
    corruptions: Mapping[str, MultiCropCounts]
