"""The efficient randomization test by hand."""

import numpy as np
import pytest

from flowers_core.explain.metrics.complexity_rise import complexity_rise, histogram_entropy


def test_entropy_by_hand():
    # Four values in four bins: log 4. Half of the values in one bin and a quarter in each of two: 1.5 log 2.
    assert histogram_entropy(np.array([0.0, 1, 2, 3]), bins=4) == pytest.approx(np.log(4))
    assert histogram_entropy(np.array([[0.0, 0], [50, 100]])) == pytest.approx(1.5 * np.log(2))
    assert histogram_entropy(-7 * np.array([[0.0, 0], [50, 100]])) == pytest.approx(1.5 * np.log(2))
    assert histogram_entropy(np.ones((4, 4))) == 0


def test_rise_by_hand():
    two, four = np.array([0.0, 0, 9, 9]), np.array([0.0, 3, 6, 9])
    assert complexity_rise(two, four) == pytest.approx(1)
    assert complexity_rise(four, two) == pytest.approx(-0.5)
    assert complexity_rise(four, 100 * four) == pytest.approx(0)
    assert complexity_rise(np.ones(4), four) is None
