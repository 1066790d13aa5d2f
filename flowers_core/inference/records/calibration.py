"""What a manifest records of how logits become probabilities, and of what that was fitted to."""

from dataclasses import dataclass

from flowers_core.inference.records.training import ModelReference


@dataclass(frozen=True)
class Calibration:
    """How logits become calibrated probabilities, prediction sets and verdicts.

    Attributes:
        temperature: above 0, divides the logits (Guo et al. 2017, arXiv 1706.04599).
        conformal_coverage: in (0, 1), the fraction of photos whose prediction set holds the true class.
        conformal_threshold: in [0, 1]; a class is in the set if 1 − p ≤ threshold (Sadinle et al. 2019, arXiv
            1609.00451).
        unsure_below: in [0, 1]; below this top probability the verdict is "unsure".
    """

    temperature: float
    conformal_coverage: float
    conformal_threshold: float
    unsure_below: float


@dataclass(frozen=True)
class CalibrationSource:
    """The data that a calibration was fitted to.

    Attributes:
        split, photos: the split, and the number of its photos.
        precision: the numeric format that computed the logits.
        corruptions: number of corruptions of each photo that were used too; 0 for none.
        model: the counterpart that computed the logits, if the model itself had learnt from these photos.
    """

    split: str
    precision: str
    photos: int
    corruptions: int = 0
    model: ModelReference | None = None
