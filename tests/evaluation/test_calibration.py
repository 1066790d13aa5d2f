"""Calibration against worked examples, an independent optimum, and simulation."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import softmax as scipy_softmax

from flowers_core.evaluation.calibration import (
    TEMPERATURE_RANGE,
    confidence_ece,
    confidence_reliability,
    ece,
    fit_calibration,
    fit_conformal_threshold,
    fit_temperature,
    reliability,
)


def _overconfident(rng: np.random.Generator, n: int, classes: int, true_temperature: float) -> tuple:
    """Logits whose labels are drawn from their softmax at another temperature."""
    logits = rng.normal(size=(n, classes)) * 3
    chances = scipy_softmax(logits / true_temperature, axis=1)
    labels = (rng.random((n, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(max=classes - 1) + 1
    return logits, labels


# --- temperature


@pytest.mark.parametrize(("gap", "right", "of"), [(4.0, 3, 4), (1.0, 9, 10), (30.0, 99, 100), (0.25, 2, 3)])
def test_temperature_of_two_classes_by_hand(gap: float, right: int, of: int) -> None:
    # All photos have the same gap, a share q of them is right. σ(gap / T) = q is optimal, so T = gap / ln(q/(1−q)).
    logits = np.tile([gap + 5, 5.0], (of, 1))
    labels = np.where(np.arange(of) < right, 1, 2)
    expected = gap / math.log(right / (of - right))
    assert fit_temperature(logits, labels) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("true_temperature", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("seed", range(3))
def test_temperature_is_where_the_likelihood_is_stationary(seed: int, true_temperature: float) -> None:
    logits, labels = _overconfident(np.random.default_rng(seed), 3000, 8, true_temperature)
    truth = logits[np.arange(len(labels)), labels - 1]

    def slope(inverse: float) -> float:
        # d NLL / d(1/T) = mean(E_p[z] − z_true), increasing in 1/T.
        return float(((scipy_softmax(logits * inverse, axis=1) * logits).sum(axis=1) - truth).mean())

    found = fit_temperature(logits, labels)
    assert found == pytest.approx(1 / brentq(slope, 0.05, 20), rel=1e-5)
    assert found == pytest.approx(true_temperature, rel=0.1)


def test_temperature_ignores_a_constant_added_to_a_photo() -> None:
    logits, labels = _overconfident(np.random.default_rng(1), 500, 5, 2.0)
    shifted = logits + np.random.default_rng(2).normal(size=(500, 1)) * 100
    assert fit_temperature(shifted, labels) == pytest.approx(fit_temperature(logits, labels), rel=1e-6)


def test_temperature_stays_in_range_when_there_is_no_optimum() -> None:
    right = np.eye(4) * 5
    assert TEMPERATURE_RANGE[0] <= fit_temperature(right, [1, 2, 3, 4]) < 0.15  # e^(−5 / 0.15) is nothing beside 1
    assert fit_temperature(-right, [1, 2, 3, 4]) == pytest.approx(TEMPERATURE_RANGE[1], rel=1e-3)


# --- conformal threshold


def _two_columns(true_probabilities: list[float]) -> tuple[np.ndarray, np.ndarray]:
    p = np.array(true_probabilities)
    return np.column_stack([p, 1 - p]), np.ones(len(p), dtype=int)


def test_conformal_threshold_of_ten_photos_by_hand() -> None:
    # 1 − p sorted: .0625 .125 .1875 .25 .3125 .375 .4375 .5 .75 .875 (all exact in binary)
    rows, labels = _two_columns([0.5, 0.9375, 0.25, 0.875, 0.8125, 0.75, 0.125, 0.6875, 0.625, 0.5625])
    assert fit_conformal_threshold(rows, labels, 0.5) == 0.375  # ⌈11 · 0.5⌉ = 6th
    assert fit_conformal_threshold(rows, labels, 0.8) == 0.75  # ⌈8.8⌉ = 9th
    assert fit_conformal_threshold(rows, labels, 0.9) == 0.875  # ⌈9.9⌉ = 10th
    assert fit_conformal_threshold(rows, labels, 0.95) == 1.0  # ⌈10.45⌉ = 11th of 10: every class


def test_conformal_rank_is_not_pushed_up_by_floating_point() -> None:
    # (99 + 1) · 0.55 is 55.000000000000007 in floating point; the 55th smallest of 1/128 … 99/128 is wanted.
    rows, labels = _two_columns([1 - i / 128 for i in range(1, 100)])
    assert fit_conformal_threshold(rows, labels, 0.55) == 55 / 128


@pytest.mark.parametrize(("coverage", "exact"), [(0.9, 46 / 51), (0.8, 41 / 51)])
def test_conformal_coverage_by_simulation(coverage: float, exact: float) -> None:
    # With 50 calibration photos and scores without ties, a new photo is covered with probability ⌈51 · coverage⌉ / 51
    # exactly. Over 3000 repetitions of 100 new photos the standard error is below 0.0013; one rank off would be 0.0196.
    rng = np.random.default_rng(7)
    covered = []
    for _ in range(3000):
        logits, labels = _overconfident(rng, 150, 6, 1.7)
        p = scipy_softmax(logits, axis=1)
        threshold = fit_conformal_threshold(p[:50], labels[:50], coverage)
        covered.append((1 - p[np.arange(50, 150), labels[50:] - 1] <= threshold).mean())
    assert np.mean(covered) == pytest.approx(exact, abs=0.005)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 95, math.nan])
def test_impossible_coverage_is_refused(coverage: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit_conformal_threshold([[0.5, 0.5]], [1], coverage)


# --- the bar for a sure answer, and all together


@pytest.mark.parametrize("seed", range(6))
def test_unsure_below_is_the_smallest_reliable_top_probability(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = _overconfident(rng, 400, 10, 1.4)
    if seed % 2:
        logits = np.repeat(logits[:100], 4, axis=0)  # photos of equal confidence, some of them wrong
        top = scipy_softmax(logits, axis=1).max(axis=1)
        labels = np.where(rng.random(400) < np.where(top > 0.9, 0.99, 0.5), logits.argmax(axis=1) + 1, labels)
    calibration = fit_calibration(logits, labels, coverage=0.9)
    p = scipy_softmax(logits / calibration.temperature, axis=1)
    top, right = p.max(axis=1), p.argmax(axis=1) + 1 == labels
    # Equal confidences differ in the last bits between SciPy and us.
    reliable = [t for t in top if right[top >= t - 1e-12].mean() >= 0.98]
    assert calibration.unsure_below == pytest.approx(min(reliable), abs=1e-9)
    assert calibration.unsure_below < 1
    assert calibration.conformal_coverage == 0.9
    assert calibration.conformal_threshold == pytest.approx(fit_conformal_threshold(p, labels, 0.9), abs=1e-12)
    assert calibration.temperature == fit_temperature(logits, labels)


def test_spoilt_photos_move_the_temperature_and_the_bar_but_not_the_promise_of_coverage() -> None:
    rng = np.random.default_rng(7)
    logits, labels = _overconfident(rng, 400, 10, 1.0)
    more, more_labels = _overconfident(rng, 600, 10, 2.0)
    alone = fit_calibration(logits, labels)
    both = fit_calibration(logits, labels, corrupted=(more, more_labels))
    every, every_label = np.concatenate([logits, more]), np.concatenate([labels, more_labels])
    assert both.temperature == pytest.approx(fit_temperature(every, every_label), rel=1e-9)
    assert both.temperature > 1.2 * alone.temperature
    p = scipy_softmax(logits / both.temperature, axis=1)
    assert both.conformal_threshold == pytest.approx(fit_conformal_threshold(p, labels, 0.98), abs=1e-12)
    p = scipy_softmax(every / both.temperature, axis=1)
    top, right = p.max(axis=1), p.argmax(axis=1) + 1 == every_label
    assert both.unsure_below == pytest.approx(min(t for t in top if right[top >= t - 1e-12].mean() >= 0.98), abs=1e-9)


def test_unsure_below_by_hand() -> None:
    # Two classes, gaps 100, 99, …, 1: the 50 widest are right but for one, so 49/50 = 98 %; the next is wrong: 49/51.
    gaps = np.arange(100.0, 0, -1)
    wrong = np.zeros(100, dtype=bool)
    wrong[[7, 50, 51, 53]] = True
    calibration = fit_calibration(np.column_stack([gaps, np.zeros(100)]), np.where(wrong, 2, 1))
    assert calibration.unsure_below == pytest.approx(1 / (1 + math.exp(-51 / calibration.temperature)), rel=1e-12)


def test_nothing_is_sure_when_the_model_is_always_wrong() -> None:
    assert fit_calibration(np.eye(5) * 2, [2, 3, 4, 5, 1]).unsure_below == 1.0


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        (np.zeros((0, 3)), []),
        (np.zeros((2, 3)), [1]),
        (np.zeros(3), [1, 2, 3]),
        (np.zeros((1, 3)), [0]),
        (np.zeros((1, 3)), [4]),
    ],
)
def test_scores_and_labels_that_do_not_belong_together_are_refused(scores: np.ndarray, labels: list[int]) -> None:
    with pytest.raises(ValueError, match=r"belong together|between 1 and 3"):
        fit_calibration(scores, labels)


# --- reliability and ECE


def test_reliability_by_hand() -> None:
    # Four bins: (0, ¼] (¼, ½] (½, ¾] (¾, 1]. Tops ½, ½ right, ¾ right, ⅞ wrong, 1 right.
    rows = np.array([[0.5, 0.5], [0.5, 0.5], [0.75, 0.25], [0.125, 0.875], [1.0, 0.0]])
    table = reliability(rows, [2, 1, 1, 1, 1], bins=4)
    assert [(b.low, b.high, b.count, b.confidence, b.accuracy) for b in table] == [
        (0.25, 0.5, 2, 0.5, 0.5),
        (0.5, 0.75, 1, 0.75, 1.0),
        (0.75, 1.0, 2, 0.9375, 0.5),
    ]
    assert ece(rows, [2, 1, 1, 1, 1], bins=4) == pytest.approx((2 * 0 + 1 * 0.25 + 2 * 0.4375) / 5)


@pytest.mark.parametrize("bins", [1, 10, 15])
@pytest.mark.parametrize("seed", range(4))
def test_ece_equals_a_plain_loop(seed: int, bins: int) -> None:
    logits, labels = _overconfident(np.random.default_rng(seed), 500, 7, 1.8)
    p = scipy_softmax(logits, axis=1)
    top, right = p.max(axis=1), p.argmax(axis=1) + 1 == labels
    expected = 0.0
    for m in range(1, bins + 1):
        inside = (top > (m - 1) / bins) & (top <= m / bins)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - top[inside].mean())
    assert ece(p, labels, bins) == pytest.approx(expected, abs=1e-12)
    assert sum(row.count for row in reliability(p, labels, bins)) == 500


def test_a_calibrated_model_has_a_small_error_and_an_overconfident_one_a_large() -> None:
    logits, labels = _overconfident(np.random.default_rng(0), 20_000, 5, 2.0)
    assert ece(scipy_softmax(logits / 2, axis=1), labels) < 0.01
    assert ece(scipy_softmax(logits, axis=1), labels) > 0.1


def test_a_top_probability_a_hair_above_one_belongs_to_the_last_bin() -> None:
    assert reliability([[1 + 1e-15, 0.0]], [1], bins=3)[0].count == 1


def test_no_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one bin"):
        reliability([[1.0, 0.0]], [1], bins=0)


def test_a_confidence_that_is_no_class_probability_by_hand() -> None:
    # Two bins: 0.2 and 0.4 with one of two right, 0.9 with one of one.
    table = confidence_reliability([0.2, 0.9, 0.4], [False, True, True], bins=2)
    assert [(row.count, row.confidence, row.accuracy) for row in table] == [(2, pytest.approx(0.3), 0.5), (1, 0.9, 1)]
    assert confidence_ece([0.2, 0.9, 0.4], [False, True, True], bins=2) == pytest.approx((2 * 0.2 + 0.1) / 3)
    with pytest.raises(ValueError, match="do not belong together"):
        confidence_reliability([0.5], [True, False])
