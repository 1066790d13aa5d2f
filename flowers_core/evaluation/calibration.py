"""Calibrating probabilities, and measuring how calibrated they are: temperature, conformal threshold, reliability."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from flowers_core.inference.prediction import log_softmax, softmax
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.confidence import ReliabilityBin

# An answer is sure at a confidence at which validation accuracy was at least SURE_ACCURACY. A prediction set holds the
# true class on at least COVERAGE of photos. Both must be well above the models' own accuracy: if top-1 is 94 %, a set
# that holds the true class on 95 % of photos is a single class for almost every photo, and says nothing.
SURE_ACCURACY = 0.98
COVERAGE = 0.98
# The fit ends here if it diverges: when every answer is right, or none is better than chance.
TEMPERATURE_RANGE = (0.01, 100.0)


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """The temperature with the smallest negative log-likelihood on held-out photos (Guo et al. 2017, arXiv 1706.04599).

    The log-likelihood is concave in 1/temperature, so there is one optimum, kept within TEMPERATURE_RANGE. If every
    photo is classified correctly there is no optimum (the sharper the better), and the result is a temperature low
    enough for the loss to vanish.

    Args:
        logits: (n, classes).
        labels: (n,), 1-based.

    Returns:
        The temperature, within TEMPERATURE_RANGE.

    Raises:
        ValueError: if logits and labels do not fit each other.
    """
    rows, columns = _rows_and_columns(logits, labels)
    each = np.arange(len(columns))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(rows, math.exp(log_temperature))[each, columns].mean())

    low, high = (math.log(end) for end in TEMPERATURE_RANGE)
    return math.exp(minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-9}).x)


def fit_conformal_threshold(probabilities: ArrayLike, labels: ArrayLike, coverage: float) -> float:
    """The threshold t of split conformal sets {y : 1 − p_y ≤ t} that hold the true class with the given probability.

    t is the ⌈(n+1)·coverage⌉-th smallest of the n values 1 − p_true. The expected coverage on photos from the same
    source is then at least `coverage`, whatever the model (Sadinle et al. 2019, arXiv 1609.00451; Vovk et al. 2005).

    Args:
        probabilities: (n, classes), rows sum to 1.
        labels: (n,), 1-based.
        coverage: in (0, 1).

    Returns:
        t in [0, 1]; 1.0, which puts every class into the set, if there are too few photos for that rank.

    Raises:
        ValueError: if the coverage is out of range, or probabilities and labels do not fit each other.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"The coverage must lie between 0 and 1, not be {coverage}.")
    rows, columns = _rows_and_columns(probabilities, labels)
    scores = np.sort(1 - rows[np.arange(len(columns)), columns])
    # Rounded first: 0.55 · 100 is 55.000000000000007 in floating point, and must not become 56.
    rank = math.ceil(round((len(scores) + 1) * coverage, 9))
    return 1.0 if rank > len(scores) else float(scores[rank - 1])


def fit_calibration(
    logits: ArrayLike,
    labels: ArrayLike,
    coverage: float = COVERAGE,
    *,
    corrupted: tuple[ArrayLike, ArrayLike] | None = None,
) -> Calibration:
    """Fit temperature, conformal threshold and the threshold of a sure answer to photos that the model has not seen.

    The temperature and the threshold of a sure answer are fitted to clean and corrupted photos together. A model that
    is calibrated on clean photos alone is too confident on bad ones, and a high-confidence error misleads a person. The
    price is that probabilities are somewhat too low on clean photos. The conformal threshold is fitted to the clean
    photos alone, and its coverage holds for such photos.

    Args:
        logits: (n, classes), of the clean photos.
        labels: (n,), 1-based.
        coverage: of the conformal sets, in (0, 1).
        corrupted: logits (m, classes) and labels (m,) of corrupted photos (`data.corruptions`).

    Returns:
        The calibration. Its `unsure_below` is the smallest t among the calibrated top probabilities such that at least
        SURE_ACCURACY of all photos with a top probability ≥ t are classified correctly; 1.0 if there is no such t. The
        accuracy is that of these photos, without a confidence bound.

    Raises:
        ValueError: if the coverage is out of range, or logits and labels do not fit each other.
    """
    clean, columns = _rows_and_columns(logits, labels)
    every, every_column = clean, columns
    if corrupted is not None:
        more, more_columns = _rows_and_columns(*corrupted)
        every, every_column = np.concatenate([clean, more]), np.concatenate([columns, more_columns])
    temperature = fit_temperature(every, every_column + 1)
    return Calibration(
        temperature=temperature,
        conformal_coverage=coverage,
        conformal_threshold=fit_conformal_threshold(softmax(clean, temperature), columns + 1, coverage),
        unsure_below=_smallest_reliable(softmax(every, temperature), every_column + 1),
    )


def reliability(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> tuple[ReliabilityBin, ...]:
    """Confidence and accuracy in bins of equal width, lowest first (Guo et al. 2017, arXiv 1706.04599).

    Args:
        probabilities: (n, classes), rows sum to 1.
        labels: (n,), 1-based.
        bins: at least 1. Bin m of M is ((m−1)/M, m/M].

    Returns:
        The bins that hold photos.
    """
    return confidence_reliability(*_confidence_and_right(probabilities, labels), bins)


def confidence_reliability(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> tuple[ReliabilityBin, ...]:
    """`reliability` of answers whose confidence need not be a class's probability.

    Args:
        confidence: (n,) in [0, 1], the probability that an answer is right; n ≥ 1.
        right: (n,) bool, whether it is.
        bins: at least 1. Bin m of M is ((m−1)/M, m/M].

    Returns:
        The bins that hold photos.

    Raises:
        ValueError: if there is no bin or no answer, or the shapes differ.
    """
    if bins < 1:
        raise ValueError(f"There must be at least one bin, not {bins}.")
    stated, found = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=bool)
    if stated.ndim != 1 or stated.shape != found.shape or not len(stated):
        raise ValueError(f"Confidences of shape {stated.shape} and outcomes of {found.shape} do not belong together.")
    edges = np.linspace(0, 1, bins + 1)
    # A softmax may exceed 1 by a rounding error; it belongs to the last bin.
    where = np.clip(np.searchsorted(edges, stated, side="left") - 1, 0, bins - 1)
    return tuple(
        ReliabilityBin(
            low=float(edges[index]),
            high=float(edges[index + 1]),
            confidence=float(stated[where == index].mean()),
            accuracy=float(found[where == index].mean()),
            count=int((where == index).sum()),
        )
        for index in np.unique(where)
    )


def ece(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: the mean |accuracy − confidence| of the bins, weighted by count (Guo et al. 2017).

    Args:
        probabilities: (n, classes), rows sum to 1.
        labels: (n,), 1-based.
        bins: at least 1, of equal width; see `reliability`.

    Returns:
        In [0, 1].
    """
    return _mean_gap(reliability(probabilities, labels, bins))


def confidence_ece(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> float:
    """`ece` of answers whose confidence need not be a class's probability.

    Args:
        confidence: (n,) in [0, 1], the probability that an answer is right; n ≥ 1.
        right: (n,) bool, whether it is.
        bins: at least 1, of equal width; see `confidence_reliability`.

    Returns:
        In [0, 1].
    """
    return _mean_gap(confidence_reliability(confidence, right, bins))


def _mean_gap(table: Sequence[ReliabilityBin]) -> float:
    return sum(row.count * abs(row.accuracy - row.confidence) for row in table) / sum(row.count for row in table)


def _smallest_reliable(probabilities: ArrayLike, labels: ArrayLike) -> float:
    confidence, right = _confidence_and_right(probabilities, labels)
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Photos of equal confidence pass or fail together, so only the last of them is a candidate for the threshold.
    last = np.append(confidence[order][1:] < confidence[order][:-1], True)
    reliable = np.flatnonzero(last & (accuracy >= SURE_ACCURACY))
    return float(confidence[order][reliable[-1]]) if len(reliable) else 1.0


def _confidence_and_right(probabilities: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rows, columns = _rows_and_columns(probabilities, labels)
    return rows.max(axis=1), rows.argmax(axis=1) == columns


def _rows_and_columns(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The scores as float64 and each photo's true column. Raises ValueError if they do not fit each other."""
    rows = np.asarray(scores, dtype=np.float64)
    columns = np.asarray(labels, dtype=np.int64) - 1
    if rows.ndim != 2 or columns.shape != rows.shape[:1] or not len(columns):
        raise ValueError(f"Scores of shape {rows.shape} and labels of shape {columns.shape} do not belong together.")
    if columns.min() < 0 or columns.max() >= rows.shape[1]:
        raise ValueError(f"The labels must lie between 1 and {rows.shape[1]}.")
    return rows, columns
