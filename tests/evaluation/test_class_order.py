import numpy as np
import pytest

from flowers_core.evaluation.class_order import closeness, mean_distance, order_by_confusion


def _blocks(sizes: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, list[set[int]]]:
    """Classes that are confused within hidden groups, shuffled."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    labels = rng.permutation(n)
    groups, start = [], 0
    matrix = np.diag(rng.integers(30, 60, n))
    for size in sizes:
        members = labels[start : start + size]
        start += size
        matrix[np.ix_(members, members)] += rng.integers(3, 9, (size, size))
        groups.append({int(member) + 1 for member in members})
    return matrix, groups


def test_what_is_confused_stands_together() -> None:
    matrix, groups = _blocks((5, 3, 7, 4))
    order = order_by_confusion(matrix)
    assert sorted(order) == list(range(1, 20))
    for group in groups:
        places = sorted(order.index(label) for label in group)
        assert places == list(range(places[0], places[0] + len(group)))
    assert mean_distance(matrix, order) < mean_distance(matrix, list(range(1, 20))) / 2


def test_classes_never_confused_come_last() -> None:
    matrix = np.diag([9, 9, 9, 9, 9])
    matrix[1, 3] = matrix[3, 4] = 2
    assert order_by_confusion(matrix) in ([2, 4, 5, 1, 3], [5, 4, 2, 1, 3])
    assert order_by_confusion(np.diag([3, 0, 2])) == [1, 2, 3]
    matrix = np.diag([3, 3, 3])
    matrix[0, 2] = 1
    assert order_by_confusion(matrix) == [1, 3, 2]


def test_closeness_and_distance_by_hand() -> None:
    matrix = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    close = closeness(matrix)
    assert close[0, 1] == close[1, 0] == pytest.approx((2 / 8 + 1 / 4) / 2)
    assert close.diagonal().any() == 0
    assert close[2].any() == 0
    assert mean_distance(matrix, [1, 3, 2]) == 2
    assert mean_distance(matrix, [3, 2, 1]) == 1
    assert mean_distance(np.eye(3, dtype=int), [1, 2, 3]) == 0
