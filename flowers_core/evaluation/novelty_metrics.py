"""How well a score tells what a model knows from what it does not: AUROC and FPR at a fixed TPR, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

TPR = 0.95


@dataclass(frozen=True)
class Detection:
    """How a score of familiarity tells known photos from others; shares in [0, 1].

    Attributes:
        auroc: the probability that a known photo has a higher score than another, ties counted half.
        fpr: the share of the others that pass where a share of `TPR` of the known photos does.
        auroc_interval, fpr_interval: 95 % bootstrap intervals, low and high.
        known, others: how many photos there are.
    """

    auroc: float
    fpr: float
    auroc_interval: tuple[float, float]
    fpr_interval: tuple[float, float]
    known: int
    others: int


def auroc(known: ArrayLike, others: ArrayLike) -> float:
    """The area under the ROC curve.

    Args:
        known: (n,), scores of known photos, n ≥ 1.
        others: (m,), scores of others, m ≥ 1.

    Raises:
        ValueError: scores of another shape, none at all, or not finite.
    """
    high, low = _scores(known), np.sort(_scores(others))
    below = np.searchsorted(low, high, side="left")
    ties = np.searchsorted(low, high, side="right") - below
    return float((below + ties / 2).sum() / (len(high) * len(low)))


def fpr_at_tpr(known: ArrayLike, others: ArrayLike, tpr: float = TPR) -> float:
    """The share of others whose score reaches the highest threshold that enough of the known photos reach.

    Args:
        known: (n,), scores of known photos, n ≥ 1.
        others: (m,), scores of others, m ≥ 1.
        tpr: the share of known photos that is enough, in (0, 1].

    Raises:
        ValueError: as `auroc`.
    """
    high = np.sort(_scores(known))[::-1]
    # Rounded first: 0.55 · 100 is 55.000000000000007 in floating point, and must not become 56.
    threshold = high[int(np.ceil(round(tpr * len(high), 9))) - 1]
    return float((_scores(others) >= threshold).mean())


def detection(known: ArrayLike, others: ArrayLike, *, resamples: int = 1000, seed: int = 0) -> Detection:
    """AUROC and FPR with percentile bootstrap intervals (Efron 1979); known and other photos are resampled apart.

    Args:
        known: (n,), scores of known photos, n ≥ 1.
        others: (m,), scores of others, m ≥ 1.
        resamples: of the bootstrap.
        seed: of its draws.

    Raises:
        ValueError: as `auroc`.
    """
    high, low = _scores(known), _scores(others)
    generator = np.random.default_rng(seed)
    drawn = np.empty((resamples, 2))
    for row in range(resamples):
        of_known, of_others = generator.choice(high, len(high)), generator.choice(low, len(low))
        drawn[row] = auroc(of_known, of_others), fpr_at_tpr(of_known, of_others)
    ends = np.quantile(drawn, (0.025, 0.975), axis=0)
    return Detection(
        auroc=auroc(high, low),
        fpr=fpr_at_tpr(high, low),
        auroc_interval=(float(ends[0, 0]), float(ends[1, 0])),
        fpr_interval=(float(ends[0, 1]), float(ends[1, 1])),
        known=len(high),
        others=len(low),
    )


def _scores(values: ArrayLike) -> NDArray[np.float64]:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ValueError(f"Scores must be at least one finite number each, not an array of shape {scores.shape}.")
    return scores
