"""Agreement against SciPy's Spearman and by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.metrics.agreement import agreement, at_cells, compare, top_superpixel_overlap


def explanation(contributions, superpixels=None) -> Explanation:
    cells = np.asarray(contributions, np.float32)
    return Explanation("any", ClassTarget(1), cells, 0.0, "logit", (0, 0, 9, 9), (9, 9), 0.0, superpixels=superpixels)


def test_rank_correlation_is_spearmans():
    random = np.random.default_rng(0)
    one = random.normal(size=(12, 12))
    other = one + random.normal(size=(12, 12))
    other[:3] = 0  # ties
    assert compare(one, other).rank_correlation == pytest.approx(spearmanr(one.ravel(), other.ravel())[0])


def test_overlap_of_the_brightest_fifth_by_hand():
    one, other = np.arange(25.0).reshape(5, 5), np.arange(25.0).reshape(5, 5)
    other[4] = [-1, 24, -2, 23, -3]  # of the five brightest of the one two stay among the other's
    assert compare(one, other).overlap == pytest.approx(2 / 5)
    assert compare(one, one).overlap == 1
    assert compare(one, -one).overlap == 0
    assert compare(one, -one).rank_correlation == pytest.approx(-1)


def test_a_flat_map_agrees_with_nothing():
    assert compare(np.zeros((5, 5)), np.arange(25.0).reshape(5, 5)).rank_correlation == 0


def test_maps_of_any_resolution_are_compared():
    cells = np.random.default_rng(1).random((7, 7))
    fine = np.kron(cells, np.ones((8, 8)))
    grain = np.random.default_rng(2).normal(size=(56, 56)) * 0.15
    found = agreement(explanation(cells), explanation(fine + grain - grain.mean()), 56)
    assert found.rank_correlation > 0.8
    assert at_cells(explanation(fine), 56) == pytest.approx(np.kron(cells, np.ones((4, 4))), abs=1e-6)
    assert at_cells(explanation(fine), 56).shape == (28, 28)


def test_top_superpixels_by_hand():
    regions = np.arange(9, dtype=np.int32).reshape(3, 3)
    one = explanation([[9, 8, 7], [6, 5, 4], [3, 2, 1]], regions)
    other = explanation([[9, 8, 1], [6, 5, 4], [3, 2, 7]], regions)
    # {0, 1, 2, 3, 4} and {0, 1, 8, 3, 4}: four of six.
    assert top_superpixel_overlap([one, other]) == pytest.approx(4 / 6)
    assert top_superpixel_overlap([one, one, other], top=3) == pytest.approx((1 + 2 / 4 + 2 / 4) / 3)
    for runs in ([one], [one, explanation(np.eye(3))], [one, explanation(np.eye(3), regions[::-1])]):
        with pytest.raises(ValueError, match="same superpixels"):
            top_superpixel_overlap(runs)
