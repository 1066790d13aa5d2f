"""The confusion matrix against scikit-learn, its pairs and its order by hand."""

import numpy as np
import pytest
from sklearn import metrics

from flowers_core.evaluation.confusion_matrix import (
    ConfusedPair,
    confusion_matrix,
    mutual_confusion,
    order_by_confusion,
    worst_pairs,
)
from flowers_core.evaluation.predictions import Predictions
from tests.fixtures.predictions import CASES


@pytest.fixture(params=CASES, name="case")
def _case(request: pytest.FixtureRequest) -> Predictions:
    return CASES[request.param]


def test_confusion_matrix_equals_scikit_learn(case: Predictions) -> None:
    expected = metrics.confusion_matrix(case.labels, case.predicted, labels=np.arange(1, 103))
    matrix = confusion_matrix(case)
    assert matrix.shape == (102, 102)
    assert np.array_equal(matrix, expected)


def test_worst_pairs_by_hand() -> None:
    matrix = np.array([[8, 2, 0, 0], [3, 0, 0, 2], [2, 0, 2, 0], [0, 1, 0, 1]])
    assert worst_pairs(matrix, 4) == [
        ConfusedPair(2, 1, 3, 3 / 5),
        ConfusedPair(3, 1, 2, 2 / 4),  # two each: by share
        ConfusedPair(2, 4, 2, 2 / 5),
        ConfusedPair(1, 2, 2, 2 / 10),
    ]
    assert worst_pairs(matrix, 99)[4:] == [ConfusedPair(4, 2, 1, 1 / 2)]
    assert worst_pairs(np.diag([3, 0, 2]), 5) == []


def test_worst_pairs_of_equal_count_and_share_are_ordered_by_label() -> None:
    assert [(p.true_label, p.predicted_label) for p in worst_pairs(1 - np.eye(3, dtype=int), 6)] == [
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 3),
        (3, 1),
        (3, 2),
    ]


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


def test_classes_never_confused_come_last() -> None:
    matrix = np.diag([9, 9, 9, 9, 9])
    matrix[1, 3] = matrix[3, 4] = 2
    assert order_by_confusion(matrix) in ([2, 4, 5, 1, 3], [5, 4, 2, 1, 3])
    assert order_by_confusion(np.diag([3, 0, 2])) == [1, 2, 3]
    matrix = np.diag([3, 3, 3])
    matrix[0, 2] = 1
    assert order_by_confusion(matrix) == [1, 3, 2]


def test_mutual_confusion_by_hand() -> None:
    matrix = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    close = mutual_confusion(matrix)
    assert close[0, 1] == close[1, 0] == pytest.approx((2 / 8 + 1 / 4) / 2)
    assert close.diagonal().any() == 0
    assert close[2].any() == 0
