"""What a manifest records of multi-crop: how often it suggests a name, and how often the name is right."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MultiCropCounts:
    """Figures of multi-crop on photos under one corruption.

    Attributes:
        top1: accuracy on the whole photos, 0…1.
        abstained: number of photos whose verdict is not "sure".
        suggested: number of these that get a suggestion.
        suggested_correct: number of right suggestions.
        answered_correct: number of photos with a suggestion whose prediction for the whole photo is right.
        top1_applied: accuracy with the suggestions in place of the predictions, 0…1.
    """

    top1: float
    abstained: int
    suggested: int
    suggested_correct: int
    answered_correct: int
    top1_applied: float


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
