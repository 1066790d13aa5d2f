"""Whether a smaller precision may stand for the exact one: what it loses on the validation photos, in points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.evaluation.report import Predictions, report

ALLOWED_POINTS = 0.3


@dataclass(frozen=True)
class PrecisionLoss:
    """What a precision loses against float32 on the same photos.

    top1, per_class: in percentage points, positive where the precision is worse. agreement: share in [0, 1] of photos
    with the same answer. logit_error: see `logit_error`; it tells two that name the same flowers apart.
    """

    top1: float
    per_class: float
    agreement: float
    logit_error: float

    @property
    def passes(self) -> bool:
        """Whether neither figure falls by more than `ALLOWED_POINTS`."""
        return max(self.top1, self.per_class) <= ALLOWED_POINTS + 1e-9


def precision_loss(exact: Predictions, smaller: Predictions) -> PrecisionLoss:
    """Compare two precisions of one model. Raises ValueError when they answered other photos."""
    if not (exact.ids.shape == smaller.ids.shape and (exact.ids == smaller.ids).all()):
        raise ValueError("Two precisions can only be compared on the same photos.")
    before, after = report(exact), report(smaller)
    return PrecisionLoss(
        top1=100 * (before.top1 - after.top1),
        per_class=100 * (before.balanced_accuracy - after.balanced_accuracy),
        agreement=float((exact.predicted == smaller.predicted).mean()),
        logit_error=logit_error(exact.logits, smaller.logits),
    )


def logit_error(exact: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Root mean square of the difference of two sets of logits (n, classes).

    What is added to all classes of a photo alike changes no answer, and is taken out.
    """
    difference = other.astype(np.float64) - exact
    difference -= difference.mean(axis=1, keepdims=True)
    return float(np.sqrt(np.square(difference).mean()))
