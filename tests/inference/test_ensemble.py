import math

import numpy as np
import pytest

from flowers_core.inference.ensemble import choose_weights, geometric_mean


def test_the_geometric_mean_of_two_answers() -> None:
    """√(0.9 · 0.4) : √(0.1 · 0.6) = 0.6 : √0.06, so 0.710 and 0.290."""
    first, second = np.log([[0.9, 0.1]]), np.log([[0.4, 0.6]])
    joined = np.exp(geometric_mean([first, second], [1, 1], [0.5, 0.5]))
    expected = 0.6 / (0.6 + math.sqrt(0.06))
    assert joined[0] / joined.sum() == pytest.approx([expected, 1 - expected])


def test_temperatures_are_those_of_the_members() -> None:
    """Two members that say the same at their own temperatures are one member."""
    logits = np.array([[2.0, 0.0, -1.0]])
    both = geometric_mean([logits, 4 * logits], [1, 4], [0.5, 0.5])
    np.testing.assert_allclose(both, geometric_mean([logits], [1], [1]))


def test_a_member_that_knows_nothing_gets_no_weight() -> None:
    labels = np.array([1, 2, 1, 2])
    right = np.array([[3.0, 0], [0, 3], [3, 0], [0, 3]])
    assert choose_weights([right, -right], [1, 1], labels) == (1.0, 0.0)


def test_members_that_err_on_different_photos_share_the_weight() -> None:
    labels = np.array([1, 1])
    first, second = np.array([[4.0, 0], [-1, 0]]), np.array([[-1.0, 0], [4, 0]])
    assert choose_weights([first, second], [1, 1], labels) == (0.5, 0.5)
