"""The acceptance criterion of a numeric format: what it may lose against float32 on the validation photos."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.evaluation.report import Predictions, report

ALLOWED_POINTS = 0.3


@dataclass(frozen=True)
class AccuracyLoss:
    """What a numeric format loses against float32 on the same photos.

    Attributes:
        top1, per_class: accuracy and balanced accuracy lost, in percentage points; negative is a gain.
        agreement: share of photos with the same prediction, 0…1.
        logit_error: see `logit_error`; it tells two formats apart that predict alike.
    """

    top1: float
    per_class: float
    agreement: float
    logit_error: float

    @property
    def passes(self) -> bool:
        """Whether neither accuracy falls by more than `ALLOWED_POINTS`."""
        return max(self.top1, self.per_class) <= ALLOWED_POINTS + 1e-9


def accuracy_loss(exact: Predictions, smaller: Predictions) -> AccuracyLoss:
    """Compare a numeric format with the exact one. Raises ValueError unless both predict the same photos."""
    if not (exact.ids.shape == smaller.ids.shape and (exact.ids == smaller.ids).all()):
        raise ValueError("Two numeric formats can only be compared on the same photos.")
    before, after = report(exact), report(smaller)
    return AccuracyLoss(
        top1=100 * (before.top1 - after.top1),
        per_class=100 * (before.balanced_accuracy - after.balanced_accuracy),
        agreement=float((exact.predicted == smaller.predicted).mean()),
        logit_error=logit_error(exact.logits, smaller.logits),
    )


def logit_error(exact: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Root mean square difference of two sets of logits (n, classes).

    A difference that all classes of a photo share changes no prediction, so it is taken out.
    """
    difference = other.astype(np.float64) - exact
    difference -= difference.mean(axis=1, keepdims=True)
    return float(np.sqrt(np.square(difference).mean()))
