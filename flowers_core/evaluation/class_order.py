"""In which order to show classes so that those which are mistaken for each other stand side by side."""

import numpy as np
from numpy.typing import NDArray


def order_by_confusion(matrix: NDArray[np.int64]) -> list[int]:
    """The labels, 1-based, such that the mistakes of a confusion matrix lie near its diagonal.

    matrix: (classes, classes), row true, column predicted. Two classes are as close as the share of their photos that
    is mistaken for the other, averaged over both. They are joined by average linkage, and the leaves of the tree put so
    that neighbours are as close as the tree allows (Bar-Joseph, Gifford and Jaakkola 2001), both by SciPy. Classes that
    are never confused come last, by label.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    close = closeness(matrix)
    involved = np.flatnonzero(close.any(axis=1))
    alone = np.flatnonzero(~close.any(axis=1))
    if len(involved) > 2:
        among = close[np.ix_(involved, involved)]
        distance = 1 - among / among.max()
        np.fill_diagonal(distance, 0)
        tree = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
        involved = involved[leaves_list(tree)]
    return [int(row) + 1 for row in (*involved, *alone)]


def closeness(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(classes, classes) float64, symmetric, 0 on the diagonal: the mean share of either's photos called the other."""
    support = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, support, out=np.zeros(matrix.shape), where=support > 0)
    close = (shares + shares.T) / 2
    np.fill_diagonal(close, 0)
    return close


def mean_distance(matrix: NDArray[np.int64], order: list[int]) -> float:
    """How many places from the diagonal a mistake lies on average when the classes stand in this order; 0 for none."""
    place = np.empty(len(order))
    place[np.array(order) - 1] = np.arange(len(order))
    rows, columns = np.nonzero(matrix - np.diag(matrix.diagonal()))
    if not len(rows):
        return 0.0
    return float(np.average(np.abs(place[rows] - place[columns]), weights=matrix[rows, columns]))
