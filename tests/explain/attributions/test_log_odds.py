"""The direction that splits log-odds, against differences worked out by hand."""

import numpy as np
import pytest
from scipy.special import softmax

from flowers_core.explain.attributions.log_odds import log_odds_direction
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget

RNG = np.random.default_rng(0)
HEAD = RNG.normal(size=(3, 5)).astype(np.float32)
EMBEDDING = RNG.random(3)


def direction(target, head: np.ndarray = HEAD) -> np.ndarray:
    return log_odds_direction(head, target, lambda: EMBEDDING @ head, 0.5)


def test_the_direction_is_the_gradient_of_the_log_odds():
    """By central differences in the embedding, at a temperature of 0.5."""

    def log_odds(at: np.ndarray) -> float:
        p = softmax(at @ HEAD / 0.5)[1]
        return float(np.log(p / (1 - p)))

    steps = 1e-5 * np.eye(3)
    expected = [(log_odds(EMBEDDING + step) - log_odds(EMBEDDING - step)) / 2e-5 * 0.5 for step in steps]
    np.testing.assert_allclose(direction(ClassTarget(2)), expected, rtol=1e-5)


def test_a_number_added_to_all_logits_changes_nothing():
    shifted = HEAD + RNG.normal(size=(3, 1)).astype(np.float32)
    np.testing.assert_allclose(direction(ClassTarget(4)), direction(ClassTarget(4), shifted), atol=1e-6)


def test_a_contrast_asks_for_no_logits():
    def never() -> np.ndarray:
        raise AssertionError("The gap between two logits is linear: their values do not matter.")

    found = log_odds_direction(HEAD, ContrastTarget(1, 3), never, 1.0)
    np.testing.assert_allclose(found, HEAD[:, 0].astype(float) - HEAD[:, 2])


def test_what_cannot_be_is_refused():
    for target in (ClassTarget(6), ContrastTarget(1, 9)):
        with pytest.raises(ValueError, match=r"There is no label [69]: this model knows 1…5"):
            direction(target)
    with pytest.raises(ValueError, match="explains a class"):
        direction(NeighbourTarget(1))
