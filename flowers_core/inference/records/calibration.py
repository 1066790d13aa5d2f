"""What a manifest records of how logits become probabilities, and of what that was fitted to."""

from dataclasses import dataclass

from flowers_core.inference.records.training import ModelReference


@dataclass(frozen=True)
class Calibration:
    """How logits become honest probabilities.

    Attributes:
        temperature: above 0, divides the logits (Guo et al. 2017, arXiv 1706.04599).
        conformal_coverage: in (0, 1), the fraction of photos whose prediction set holds the true class.
        conformal_threshold: in [0, 1]; a class is in the set when 1 − p ≤ threshold (Sadinle et al. 2019).
        unsure_below: in [0, 1], the top probability below which an answer is given with doubt.
    """

    temperature: float
    conformal_coverage: float
    conformal_threshold: float
    unsure_below: float


@dataclass(frozen=True)
class CalibrationSource:
    """What a calibration was fitted to.

    Attributes:
        split, photos: whose photos, and how many.
        precision: the numeric format whose logits they were.
        corruptions: with how many corruptions of each photo beside it; 0 for none.
        model: the counterpart that had not learnt from these photos, where it was not the model itself.
    """

    split: str
    precision: str
    photos: int
    corruptions: int = 0
    model: ModelReference | None = None
