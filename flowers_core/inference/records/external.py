"""What a manifest records of predictions for external photos, with and without a known flower."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ExternalFlowers:
    """Counts over external photos of the known flowers; top1 and top5 are fractions.

    Attributes:
        high_confidence_errors: wrong with a calibrated probability of at least 0.9.
        sure, sure_correct: answers that are given as sure, and how many of these are right.
        suggested, suggested_correct: suggestions of multi-crop, and how many of these are right.
    """

    photos: int
    top1: float
    top5: float
    high_confidence_errors: int
    sure: int
    sure_correct: int
    suggested: int
    suggested_correct: int


@dataclass(frozen=True)
class ExternalClass:
    """Counts over the external photos of one class."""

    photos: int
    correct: int
    in_top5: int


@dataclass(frozen=True)
class ExternalWithoutFlower:
    """Counts over external photos that show no flower; any sure or suggested name is wrong."""

    photos: int
    high_confidence_errors: int
    sure: int
    suggested: int


@dataclass(frozen=True)
class ExternalMetrics:
    """One numeric format's answers to external photos; classes by their names."""

    precision: str
    flowers: ExternalFlowers
    classes: Mapping[str, ExternalClass]
    no_flower: ExternalWithoutFlower
