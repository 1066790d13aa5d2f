"""Selective prediction: how many photos get an answer, and how often it is right (El-Yaniv and Wiener 2010)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class OperatingPoint:
    """What happens if only answers of at least some probability are given.

    Attributes:
        threshold: that probability, in [0, 1].
        coverage: the fraction of photos that get an answer, in [0, 1].
        accuracy: the fraction of those answers that is right; None if there are none.
        answered: the number of answers.
    """

    threshold: float
    coverage: float
    accuracy: float | None
    answered: int


@dataclass(frozen=True, eq=False)
class CoverageCurve:
    """Accuracy and coverage at every threshold that makes a difference, from the strictest to none at all.

    Attributes:
        thresholds: (m,) float64, descending, the distinct confidences.
        coverage: (m,) float64 in [0, 1], ascending to 1, of the answers of that confidence or more.
        accuracy: (m,) float64 in [0, 1], of the same answers; the last is top-1.
        photos: their number.
    """

    thresholds: NDArray[np.float64]
    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    photos: int

    def at(self, threshold: float) -> OperatingPoint:
        """The operating point of a threshold: "at 90 % it answers 71 % of photos and is right on 99 %"."""
        row = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        if row < 0:
            return OperatingPoint(threshold, 0.0, None, 0)
        coverage = float(self.coverage[row])
        return OperatingPoint(threshold, coverage, float(self.accuracy[row]), round(coverage * self.photos))

    @property
    def aurc(self) -> float:
        """Area under the curve of risk (1 − accuracy) against coverage (Geifman and El-Yaniv 2017).

        0 is best. A random order has about 1 − accuracy. Photos of equal confidence are answered together.
        """
        steps = np.diff(self.coverage, prepend=0.0)
        return float(((1 - self.accuracy) * steps).sum())


def coverage_curve(probabilities: ArrayLike, labels: ArrayLike) -> CoverageCurve:
    """The curve of answers ranked by their top probability.

    Args:
        probabilities: (n, classes), rows sum to 1, n ≥ 1.
        labels: (n,), 1-based.

    Raises:
        ValueError: if there is no answer, or the shapes do not fit.
    """
    rows, columns = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.int64) - 1
    if rows.ndim != 2 or columns.shape != rows.shape[:1] or not len(columns):
        raise ValueError(
            f"Probabilities of shape {rows.shape} and labels of shape {columns.shape} do not belong together."
        )
    return confidence_curve(rows.max(axis=1), rows.argmax(axis=1) == columns)


def confidence_curve(confidence: ArrayLike, right: ArrayLike) -> CoverageCurve:
    """The curve of answers ranked by any score.

    Args:
        confidence: (n,), the higher the more confident; n ≥ 1.
        right: (n,) bool, whether the answers are right.

    Raises:
        ValueError: if there is no answer, or the shapes differ.
    """
    stated, found = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=bool)
    if stated.ndim != 1 or stated.shape != found.shape or not len(stated):
        raise ValueError(f"Confidences of shape {stated.shape} and outcomes of {found.shape} do not belong together.")
    order = np.argsort(-stated, kind="stable")
    stated, found = stated[order], found[order]
    last = np.append(stated[1:] < stated[:-1], True)
    answered = np.arange(1, len(order) + 1)
    return CoverageCurve(
        thresholds=stated[last],
        coverage=answered[last] / len(order),
        accuracy=np.cumsum(found)[last] / answered[last],
        photos=len(order),
    )


def aurc_interval(
    confidence: ArrayLike, reference: ArrayLike, right: ArrayLike, *, resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % bootstrap interval (Efron 1979) of how much larger a reference's AURC is.

    Args:
        confidence: (n,), the score in question.
        reference: (n,), the score that it is compared with on the same answers.
        right: (n,) bool, whether the answers are right.
        resamples: how often n photos are drawn with replacement, the same for both scores.
        seed: draws them.

    Returns:
        Low and high of AURC(reference) − AURC(confidence): above 0 where the score in question ranks better.
    """
    ours, theirs, found = np.asarray(confidence), np.asarray(reference), np.asarray(right, dtype=bool)
    generator = np.random.default_rng(seed)
    gains = np.empty(resamples)
    for row in range(resamples):
        drawn = generator.integers(0, len(found), len(found))
        gains[row] = (
            confidence_curve(theirs[drawn], found[drawn]).aurc - confidence_curve(ours[drawn], found[drawn]).aurc
        )
    low, high = np.quantile(gains, (0.025, 0.975))
    return float(low), float(high)
