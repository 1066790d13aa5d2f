"""What a manifest records of predictions for external photos, with and without a known flower."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ExternalFlowers:
    """Counts over external photos of the known flowers.

    Attributes:
        photos: number of photos.
        top1, top5: fraction with the right class first, or among the first five.
        high_confidence_errors: wrong predictions with a calibrated probability of at least 0.9.
        sure, sure_correct: verdicts "sure", and how many of these are right.
        suggested, suggested_correct: answers that a crop decided, and how many of these are right.
    """

    photos: int
    top1: float
    top5: float
    high_confidence_errors: int
    sure: int
    sure_correct: int
    suggested: int = 0
    suggested_correct: int = 0


@dataclass(frozen=True)
class ExternalClass:
    """Counts over the external photos of one class.

    Attributes:
        photos: number of photos.
        correct: photos with the right class first.
        in_top5: photos with the right class among the first five.
    """

    photos: int
    correct: int
    in_top5: int


@dataclass(frozen=True)
class ExternalWithoutFlower:
    """Counts over external photos that show no flower. Every sure name is wrong.

    Attributes:
        photos: number of photos.
        high_confidence_errors: predictions with a calibrated probability of at least 0.9.
        sure: verdicts "sure".
        suggested: answers that a crop decided.
    """

    photos: int
    high_confidence_errors: int
    sure: int
    suggested: int = 0


@dataclass(frozen=True)
class ExternalMetrics:
    """Figures of one numeric format on external photos.

    Attributes:
        precision: the numeric format.
        flowers: photos of the known flowers.
        classes: name of the class → its counts.
        no_flower: photos without a flower.
    """

    precision: str
    flowers: ExternalFlowers
    classes: Mapping[str, ExternalClass]
    no_flower: ExternalWithoutFlower
