"""Answering only when sure: how many photos get an answer, and how often it is right (El-Yaniv and Wiener 2010)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class AnswerRate:
    """What happens when only answers of probability `bar` or more are given.

    coverage: the share of photos that get an answer, in [0, 1]. accuracy: the share of those answers that are right;
    None where there are none. answered: how many there are.
    """

    bar: float
    coverage: float
    accuracy: float | None
    answered: int


@dataclass(frozen=True, eq=False)
class CoverageCurve:
    """Accuracy against coverage for every bar that makes a difference, from the strictest to none at all.

    bars: (m,) float64, descending, the different top probabilities. coverage, accuracy: (m,) float64 in [0, 1], of the
    answers of that probability or more; coverage ascends to 1, where accuracy is top-1.
    """

    bars: NDArray[np.float64]
    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    photos: int

    def at(self, bar: float) -> AnswerRate:
        """What happens at this bar: "at 90 % sure it answers 71 % of photos and is right on 99 %"."""
        row = int(np.searchsorted(-self.bars, -bar, side="right")) - 1
        if row < 0:
            return AnswerRate(bar, 0.0, None, 0)
        coverage = float(self.coverage[row])
        return AnswerRate(bar, coverage, float(self.accuracy[row]), round(coverage * self.photos))

    def bar_for(self, accuracy: float) -> AnswerRate | None:
        """The most photos that can be answered with this share right; None where no bar reaches it."""
        rows = np.flatnonzero(self.accuracy >= accuracy)
        return self.at(float(self.bars[rows[-1]])) if len(rows) else None

    @property
    def area(self) -> float:
        """Area under risk against coverage (AURC; Geifman and El-Yaniv 2017): 0 is best, 1 − accuracy is no better
        than answering at random; photos of one probability are answered together."""
        steps = np.diff(self.coverage, prepend=0.0)
        return float(((1 - self.accuracy) * steps).sum())


def coverage_curve(probabilities: ArrayLike, labels: ArrayLike) -> CoverageCurve:
    """The curve of some answers: probabilities (n, classes), rows sum to 1; labels (n,), 1-based, n ≥ 1."""
    rows, columns = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.int64) - 1
    if rows.ndim != 2 or columns.shape != rows.shape[:1] or not len(columns):
        raise ValueError(
            f"Probabilities of shape {rows.shape} and labels of shape {columns.shape} do not belong together."
        )
    confidence, right = rows.max(axis=1), rows.argmax(axis=1) == columns
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    last = np.append(confidence[1:] < confidence[:-1], True)
    answered = np.arange(1, len(order) + 1)
    return CoverageCurve(
        bars=confidence[last],
        coverage=answered[last] / len(order),
        accuracy=np.cumsum(right)[last] / answered[last],
        photos=len(order),
    )
