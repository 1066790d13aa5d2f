import numpy as np
import pytest

from flowers_core.evaluation.risk_coverage import OperatingPoint, aurc_interval, confidence_curve, coverage_curve


def _rows(*tops: float) -> np.ndarray:
    return np.array([[top, 1 - top] for top in tops])


def test_by_hand() -> None:
    # Class 1 always has the larger share; the labels say which answers are right.
    curve = coverage_curve(_rows(0.9, 0.8, 0.8, 0.6, 0.95), [1, 1, 2, 2, 1])
    np.testing.assert_allclose(curve.thresholds, [0.95, 0.9, 0.8, 0.6])
    np.testing.assert_allclose(curve.coverage, [0.2, 0.4, 0.8, 1.0])
    np.testing.assert_allclose(curve.accuracy, [1, 1, 3 / 4, 3 / 5])
    assert curve.at(0.9) == OperatingPoint(0.9, 0.4, 1.0, 2)
    assert curve.at(0.85) == OperatingPoint(0.85, 0.4, 1.0, 2)
    assert curve.at(0.0) == OperatingPoint(0.0, 1.0, 0.6, 5)
    assert curve.at(0.99) == OperatingPoint(0.99, 0.0, None, 0)
    assert curve.at(0.8) == OperatingPoint(0.8, 0.8, 0.75, 4)
    assert curve.aurc == pytest.approx(0.25 * 0.4 + 0.4 * 0.2)


def test_each_threshold_equals_a_count() -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(6), size=300).round(2)
    labels = rng.integers(1, 7, size=300)
    curve = coverage_curve(rows, labels)
    for threshold in (0.2, 0.31, 0.5, 0.777):
        given = rows.max(axis=1) >= threshold
        found = curve.at(threshold)
        assert found.answered == given.sum()
        assert found.coverage == pytest.approx(given.mean())
        assert found.accuracy == pytest.approx((rows.argmax(axis=1) + 1 == labels)[given].mean())
    assert curve.coverage[-1] == 1


def test_arrays_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        coverage_curve(np.zeros((0, 3)), [])


def test_a_score_that_is_no_probability_ranks_by_hand() -> None:
    # Right, wrong, right, right by falling score; the last two are answered together.
    curve = confidence_curve([-1, 7, 3, -1], [True, True, False, True])
    np.testing.assert_allclose(curve.coverage, [0.25, 0.5, 1.0])
    np.testing.assert_allclose(curve.accuracy, [1, 1 / 2, 3 / 4])
    assert curve.aurc == pytest.approx(0.5 * 0.25 + 0.25 * 0.5)
    with pytest.raises(ValueError, match="do not belong together"):
        confidence_curve([0.5], [True, False])


def test_aurc_interval() -> None:
    generator = np.random.default_rng(0)
    right = generator.random(400) < 0.8
    perfect, blind = right + generator.random(400), generator.random(400)
    low, high = aurc_interval(perfect, blind, right, resamples=200)
    gain = confidence_curve(blind, right).aurc - confidence_curve(perfect, right).aurc
    assert 0 < low < gain < high
    assert aurc_interval(blind, blind, right, resamples=20) == (0, 0)
