"""What a manifest records of answers to several photos of one plant."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SeveralPhotosFigures:
    """Figures over plants of several photos each; fractions in [0, 1].

    Attributes:
        plants: how many, each of photos of one class.
        error_of_one: fraction of wrong answers to single photos of these plants.
        error: fraction of plants that all photos together name wrongly.
        sure: fraction of plants whose verdict is "sure".
        sure_top1: fraction of these that are right; None where there are none.
        wrongly_odd: fraction of plants of which a photo is called odd.
        stranger_error: fraction of wrong answers where one photo is replaced by one of another class.
        stranger_found: fraction of these plants of which that photo, and no other, is called odd.
    """

    plants: int
    error_of_one: float
    error: float
    sure: float
    sure_top1: float | None
    wrongly_odd: float
    stranger_error: float
    stranger_found: float


@dataclass(frozen=True)
class SeveralPhotosMetrics:
    """How several photos of a class, taken as photos of one plant, are answered.

    Attributes:
        precision: the numeric format.
        split: of the photos.
        photos: of each plant.
        rounds: how often the photos of each class are dealt into plants.
        seed: deals them.
        kinds: "clean" or "corrupted" → figures.
    """

    precision: str
    split: str
    photos: int
    rounds: int
    seed: int
    kinds: Mapping[str, SeveralPhotosFigures]
