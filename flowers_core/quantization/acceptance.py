"""The acceptance criterion of a numeric format: its largest loss against float32 on the validation photos."""

import numpy as np
from numpy.typing import NDArray

from flowers_core.evaluation.predictions import Predictions
from flowers_core.evaluation.report import report
from flowers_core.inference.records.quantization import FormatLoss

ALLOWED_POINTS = 0.3


def format_loss(exact: Predictions, smaller: Predictions) -> FormatLoss:
    """The loss of a numeric format against the exact one.

    Args:
        exact: predictions of the exact model.
        smaller: those of the model in the smaller format, for the same photos in the same order.

    Raises:
        ValueError: the predictions are of different photos.
    """
    if not (exact.ids.shape == smaller.ids.shape and (exact.ids == smaller.ids).all()):
        raise ValueError("Two numeric formats can only be compared on the same photos.")
    before, after = report(exact), report(smaller)
    return FormatLoss(
        top1=100 * (before.top1 - after.top1),
        balanced_accuracy=100 * (before.balanced_accuracy - after.balanced_accuracy),
        agreement=float((exact.predicted == smaller.predicted).mean()),
        logit_error=logit_error(exact.logits, smaller.logits),
    )


def is_acceptable(loss: FormatLoss) -> bool:
    """Whether neither accuracy nor balanced accuracy falls by more than `ALLOWED_POINTS`."""
    return max(loss.top1, loss.balanced_accuracy) <= ALLOWED_POINTS + 1e-9


def logit_error(exact: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Root mean square difference of two sets of logits.

    A difference that all classes of a photo share changes no prediction, so it is subtracted first.

    Args:
        exact, other: (n, classes).
    """
    difference = other.astype(np.float64) - exact
    difference -= difference.mean(axis=1, keepdims=True)
    return float(np.sqrt(np.square(difference).mean()))
