"""Evaluates representer points: are the shares exact, and do they foretell a head that lacks some of the photos?

Two questions to heads that are fitted anew, with L2, to a part of the training photos. The linear datamodelling score
(Park et al. 2023, "TRAK", arXiv 2303.14186) takes random halves. The other takes out the ten photos that speak most for
an answer, beside ten random ones of its class.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from flowers_core.explain.explanation import ClassTarget, FloatArray
from flowers_core.explain.metrics.interval import bootstrap
from flowers_core.explain.records.representers import RepresenterRecord
from flowers_core.explain.representers import Representers, strongest

#: λ of the heads that are fitted anew: L2 as strong as the photos. With less, the photos that are left make up for
#: those that are taken out; the datamodelling score hardly depends on it.
REGULARIZATION = 1.0
SUBSETS, REMOVED, RANDOM_DRAWS = 50, 10, 5
#: INT8 logits are often equal; an answer that is one of the largest up to this counts as the same.
_TIE = 1e-6


def evaluate_representers(
    representers: Representers,
    logits: FloatArray,
    *,
    sampled: int = 100,
    subsets: int = SUBSETS,
    removed: int = REMOVED,
    seed: int = 0,
) -> RepresenterRecord:
    """Measure the representers of a head on test photos.

    Args:
        representers: of the head.
        logits: (m, classes), the shipped head's of all test photos.
        sampled: test photos for what needs heads fitted anew; at most m.
        subsets: random halves of the training photos.
        removed: photos that are taken out.
        seed: of all draws.
    """
    centred = np.asarray(logits, np.float64) - np.mean(logits, axis=1, keepdims=True, dtype=np.float64)
    answers = centred.argmax(axis=1)
    rows = np.arange(len(centred))
    summed = representers.likeness(centred) @ representers.logits
    again = summed[rows, answers]
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(centred))[:sampled]
    few, classes = centred[chosen], answers[chosen]
    shares, milliseconds = _shares(representers, few, classes)
    fall, random_fall = _falls(representers, few, classes, shares, removed, generator)
    return RepresenterRecord(
        training_photos=len(representers),
        test_photos=len(centred),
        agreement=float((again >= summed.max(axis=1) - _TIE).mean()),
        largest_error=float(np.abs(again - centred[rows, answers]).max()),
        regularization=REGULARIZATION,
        sampled=len(few),
        seed=seed,
        subsets=subsets,
        datamodelling=bootstrap(_datamodelling(representers, few, classes, shares, subsets, generator), seed=seed),
        removed=removed,
        fall=bootstrap(fall, seed=seed),
        random_fall=bootstrap(random_fall, seed=seed),
        milliseconds=milliseconds,
    )


def fit_without(representers: Representers, kept: NDArray[np.intp], regularization: float) -> NDArray[np.float64]:
    """The head of some of the training photos: the V that minimizes Σ ‖z_n − V u_n‖² + λ n ‖V‖² over them.

    Args:
        representers: of all photos; their coordinates stay.
        kept: positions of the photos that the head is fitted to, at least one.
        regularization: λ > 0.

    Returns:
        (rank, classes): a photo's logits are its coordinates times this.
    """
    coordinates = representers.coordinates(representers.logits[kept])
    moments = coordinates.T @ coordinates + regularization * len(kept) * np.eye(coordinates.shape[1])
    return np.asarray(np.linalg.solve(moments, coordinates.T @ representers.logits[kept]), np.float64)


def _shares(
    representers: Representers, logits: NDArray[np.float64], classes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    """The contributions (m, n) to each photo's answer, and the median of the milliseconds that one photo takes."""
    shares, seconds = [], []
    for row, column in zip(logits, classes, strict=True):
        started = time.perf_counter()
        shares.append(representers.contributions(row, ClassTarget(int(column) + 1)))
        seconds.append(time.perf_counter() - started)
    return np.stack(shares), 1e3 * float(np.median(seconds))


def _datamodelling(
    representers: Representers,
    logits: NDArray[np.float64],
    classes: NDArray[np.int64],
    shares: NDArray[np.float64],
    subsets: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """The linear datamodelling score of each photo, (m,)."""
    from scipy.stats import spearmanr

    coordinates, rows = representers.coordinates(logits), np.arange(len(logits))
    found, foretold = [], []
    for _ in range(subsets):
        kept = np.sort(generator.permutation(len(representers))[: len(representers) // 2])
        found.append((coordinates @ fit_without(representers, kept, REGULARIZATION))[rows, classes])
        foretold.append(shares[:, kept].sum(axis=1))
    pairs = zip(np.array(found).T, np.array(foretold).T, strict=True)
    return np.array([spearmanr(one, other).statistic for one, other in pairs])


def _falls(
    representers: Representers,
    logits: NDArray[np.float64],
    classes: NDArray[np.int64],
    shares: NDArray[np.float64],
    removed: int,
    generator: np.random.Generator,
) -> tuple[list[float], list[float]]:
    """By how much each answer's logit falls without the photos that speak most for it, and without random ones."""
    everything = np.arange(len(representers))
    coordinates = representers.coordinates(logits)
    whole = fit_without(representers, everything, REGULARIZATION)
    falls, random_falls = [], []
    for point, column, share in zip(coordinates, classes, shares, strict=True):
        before = float(point @ whole[:, column])

        def fall(
            out: NDArray[np.intp], point: NDArray[np.float64] = point, column: int = column, before: float = before
        ) -> float:
            rest = fit_without(representers, np.setdiff1d(everything, out), REGULARIZATION)
            return 1 - float(point @ rest[:, column]) / before

        same = np.flatnonzero(representers.labels == column + 1)
        falls.append(fall(strongest(share, removed)[0]))
        draws = [generator.permutation(same)[:removed] for _ in range(RANDOM_DRAWS)]
        random_falls.append(float(np.mean([fall(out) for out in draws])))
    return falls, random_falls
