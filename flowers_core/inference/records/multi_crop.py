"""What a manifest records of multi-crop: how often it suggests a name, and how often the name is right."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MultiCropCounts:
    """What multi-crop gives on photos of one kind.

    Attributes:
        top1: of the whole photos.
        abstained: photos whose answer is not sure.
        suggested: of these, how many got a suggestion.
        suggested_correct: how many suggestions are right.
        answered_correct: how many answers about the whole photo were right where there was a suggestion.
        top1_applied: top-1 with the suggestion in the answer's place.
    """

    top1: float
    abstained: int
    suggested: int
    suggested_correct: int
    answered_correct: int
    top1_applied: float


@dataclass(frozen=True)
class MultiCropMetrics:
    """Multi-crop on a split's sample of so many photos, by corruption; the photos as they are among them."""

    precision: str
    photos: int
    seed: int
    corruptions: Mapping[str, MultiCropCounts]
