"""How well a score tells what a model knows from what it does not: AUROC and FPR at a fixed TPR, with intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.inference.records.confidence import ROC_STEPS, DetectionFigures

TPR = 0.95


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


def roc_curve(known: ArrayLike, others: ArrayLike) -> tuple[float, ...]:
    """`fpr_at_tpr` at true positive rates of 0, 1/`ROC_STEPS`, … 1; where no known photo passes, no other does.

    Args:
        known: (n,) scores of known photos, at least one.
        others: (m,) scores of others, at least one.
    """
    return (0.0, *(fpr_at_tpr(known, others, step / ROC_STEPS) for step in range(1, ROC_STEPS + 1)))


def detection(known: ArrayLike, others: ArrayLike, *, resamples: int = 1000, seed: int = 0) -> DetectionFigures:
    """How a score tells known photos from others, with percentile bootstrap intervals (Efron 1979).

    Args:
        known: (n,) scores of known photos, at least one.
        others: (m,) scores of others, at least one.
        resamples: how often n known and m other photos are drawn with replacement, apart from each other.
        seed: draws them.

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
    return DetectionFigures(
        auroc=auroc(high, low),
        auroc_low=float(ends[0, 0]),
        auroc_high=float(ends[1, 0]),
        fpr=fpr_at_tpr(high, low),
        fpr_low=float(ends[0, 1]),
        fpr_high=float(ends[1, 1]),
        fpr_at=roc_curve(high, low),
    )


def _scores(values: ArrayLike) -> NDArray[np.float64]:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ValueError(f"Scores must be at least one finite number each, not an array of shape {scores.shape}.")
    return scores
