"""The confusion matrix, its most frequent errors, and the order of classes that shows them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowers_core.evaluation.predictions import Predictions


@dataclass(frozen=True)
class ConfusedPair:
    """Photos of one class that were predicted as another.

    Attributes:
        true_label: 1-based.
        predicted_label: 1-based, another.
        count: how many.
        share: `count` as a fraction of the true class's photos, in (0, 1].
    """

    true_label: int
    predicted_label: int
    count: int
    share: float


def confusion_matrix(predictions: Predictions) -> NDArray[np.int64]:
    """(classes, classes) int64: row j, column k counts the photos of label j + 1 with prediction k + 1."""
    classes = predictions.classes
    cells = (predictions.labels - 1) * classes + predictions.predicted - 1
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def worst_pairs(matrix: NDArray[np.int64], n: int) -> list[ConfusedPair]:
    """The most frequent confusions.

    Args:
        matrix: (classes, classes), row true, column predicted.
        n: how many at most.

    Returns:
        The most frequent first, ties by share, then by labels.
    """
    support = matrix.sum(axis=1)
    pairs = [
        ConfusedPair(int(row) + 1, int(column) + 1, int(matrix[row, column]), float(matrix[row, column] / support[row]))
        for row, column in np.argwhere(matrix)
        if row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share, pair.true_label, pair.predicted_label))[:n]


def order_by_confusion(matrix: NDArray[np.int64]) -> list[int]:
    """The order of the classes that brings the errors near the diagonal.

    SciPy clusters the classes by `mutual_confusion` with average linkage, and orders the leaves of the tree so that
    neighbours are as close as the tree allows (Bar-Joseph, Gifford and Jaakkola 2001).

    Args:
        matrix: (classes, classes), row true, column predicted.

    Returns:
        The labels, 1-based; classes that are never confused come last, by label.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    close = mutual_confusion(matrix)
    involved = np.flatnonzero(close.any(axis=1))
    alone = np.flatnonzero(~close.any(axis=1))
    if len(involved) > 2:
        among = close[np.ix_(involved, involved)]
        distance = 1 - among / among.max()
        np.fill_diagonal(distance, 0)
        tree = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
        involved = involved[leaves_list(tree)]
    return [int(row) + 1 for row in (*involved, *alone)]


def mutual_confusion(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often two classes are confused.

    Args:
        matrix: (classes, classes), row true, column predicted.

    Returns:
        (classes, classes) float64 in [0, 1], symmetric, diagonal 0: the fraction of a class's photos that is predicted
        as the other class, averaged over both directions.
    """
    support = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, support, out=np.zeros(matrix.shape), where=support > 0)
    close = (shares + shares.T) / 2
    np.fill_diagonal(close, 0)
    return close
