"""Signals of an answer → the probability that it is right.

A logistic regression weighs the signals, and a monotone curve makes its scores honest. Both are fitted to photos that
the network has not learnt from, clean and corrupted, and to pictures without a flower (`evaluation.confidence_fit`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: What is known of an answer, each the larger the better (`inference.confidence.signals_of`). Agreement of the nearest
#: photos, the embedding's norm, the energy and fDBD were tried too, and added next to nothing on validation photos.
SIGNALS = ("logit_margin", "log_odds", "discriminant_gap", "nearness", "surest_position")
#: Beyond so many nats a probability is 0 or 1 for all purposes.
MOST_NATS = 14.0


@dataclass(frozen=True)
class ConfidenceModel:
    """Signals → the probability that the answer is right.

    Attributes:
        means, deviations: of each of `SIGNALS` over the training photos of the network that it was fitted to;
            deviations above 0.
        coefficients: of the standardized signals, in nats a deviation.
        intercept: in nats.
        scores, log_odds: at least two points of the calibration curve, both ascending, in nats; between them it is
            linear, beyond them it goes on in parallel to the scores.
        sure_from: in [0, 1], the confidence from which on an answer is given without doubt.
    """

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    scores: tuple[float, ...]
    log_odds: tuple[float, ...]
    sure_from: float

    def __post_init__(self) -> None:
        sizes = {len(self.means), len(self.deviations), len(self.coefficients)}
        if sizes != {len(SIGNALS)} or min(self.deviations) <= 0:
            raise ValueError(f"a confidence model has a mean, a positive deviation and a weight for each of {SIGNALS}.")
        if len(self.scores) != len(self.log_odds) or len(self.scores) < 2:
            raise ValueError("the calibration curve of a confidence model has two points or more.")
        if not (np.diff(self.scores) > 0).all() or not (np.diff(self.log_odds) >= 0).all():
            raise ValueError("the calibration curve of a confidence model ascends.")

    def score(self, signals: ArrayLike) -> NDArray[np.float64]:
        """The logistic regression's score of n answers with signals (n, 5), in nats."""
        standardized = (np.asarray(signals, np.float64) - self.means) / self.deviations
        return standardized @ np.array(self.coefficients) + self.intercept

    def confidence(self, signals: ArrayLike) -> NDArray[np.float64]:
        """The probability that each of n answers with signals (n, 5) is right: (n,) float64 in (0, 1)."""
        scores = self.score(signals)
        within = np.clip(scores, self.scores[0], self.scores[-1])
        nats = np.interp(within, self.scores, self.log_odds) + (scores - within)
        return 1 / (1 + np.exp(-np.clip(nats, -MOST_NATS, MOST_NATS)))
