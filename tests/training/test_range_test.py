import dataclasses
import math

import numpy as np
import pytest

from flowers_core.training.fit import stepper
from flowers_core.training.range_test import RangeTestError, range_test, smoothed_losses, suggested_bounds
from tests.training.test_fit import RECIPE, make


def test_smoothing_is_the_weighted_mean_of_what_was_seen():
    losses = np.array([3.0, 1.0, 2.0])
    weights = 0.95 ** np.arange(2, -1, -1)
    assert smoothed_losses(losses)[-1] == pytest.approx((weights * losses).sum() / weights.sum())
    np.testing.assert_allclose(smoothed_losses(np.full(20, 0.7)), 0.7)


def test_bounds_of_a_curve_that_is_known():
    rates = np.geomspace(1e-6, 1.0, 601)
    decades = np.log10(rates)
    # Flat at 5 up to 1e-4, falling in a straight line to 1 at 1e-2, then rising.
    losses = np.where(decades < -4, 5.0, np.where(decades < -2, 5.0 - 2.0 * (decades + 4), 1.0 + 10 * (decades + 2)))
    lower, upper = suggested_bounds(rates, losses)
    # A tenth of the fall is at 10 ** -3.8; the lag of the smoothing, 19 steps of a hundredth of a decade, adds to both.
    assert math.log10(lower) == pytest.approx(-3.8 + 0.19, abs=0.1)
    assert math.log10(upper * 3) == pytest.approx(-2.0, abs=0.25)


def test_noise_on_the_plateau_is_not_taken_for_learning():
    """Peaks and a dip at rates that teach nothing; the fall is the same as above."""
    rates = np.geomspace(1e-6, 1.0, 601)
    decades = np.log10(rates)
    losses = np.where(decades < -4, 5.0, np.where(decades < -2, 5.0 - 2.0 * (decades + 4), 1.0 + 10 * (decades + 2)))
    quiet = suggested_bounds(rates, losses)
    losses[4:24:2], losses[5:25:2], losses[70:90] = 9.0, 1.0, 2.0
    assert suggested_bounds(rates, losses) == pytest.approx(quiet, rel=0.05)


def test_gradient_descent_on_a_parabola_diverges_beyond_two_over_its_curvature():
    curvature, noise = 50.0, np.random.default_rng(0)
    state = {"x": 1.0}

    def step(rate):
        loss = 0.5 * curvature * state["x"] ** 2 + 0.1
        # A gradient of a batch is noisy, or the loss would stay at its floor long after the rate is too high.
        state["x"] -= rate * (curvature * state["x"] + noise.normal(0, 5))
        return loss

    result = range_test(step, lowest=1e-6, highest=10.0, steps=300)
    assert result.diverged
    assert result.rates[-1] < 10.0
    assert result.upper < 2.0 / curvature
    assert 0 < result.lower <= result.upper


def test_it_stops_when_the_loss_is_no_longer_a_number():
    losses = iter([5.0 - 0.1 * i for i in range(30)] + [math.nan])
    result = range_test(lambda _rate: next(losses), lowest=1e-5, highest=1.0, steps=100)
    assert result.diverged
    assert len(result.losses) == 30


def test_the_rates_grow_by_a_constant_factor():
    seen = []

    def step(rate):
        seen.append(rate)
        return 2.0 - 0.01 * len(seen)

    result = range_test(step, lowest=1e-4, highest=1e-1, steps=31)
    assert not result.diverged
    assert seen[0] == pytest.approx(1e-4)
    assert seen[-1] == pytest.approx(1e-1)
    np.testing.assert_allclose(np.diff(np.log10(seen)), 0.1)


def test_a_loss_that_only_rises_is_told():
    with pytest.raises(RangeTestError, match="never fell"):
        suggested_bounds(np.geomspace(1e-3, 1, 50), np.linspace(1, 3, 50))


@pytest.mark.parametrize("bad", [{"lowest": 0.0}, {"highest": 1e-9}, {"steps": 5}])
def test_a_test_that_makes_no_sense_is_refused(bad):
    with pytest.raises(RangeTestError, match="range test needs"):
        range_test(lambda _rate: 1.0, **{"lowest": 1e-6, "highest": 1.0, "steps": 50, **bad})


def test_a_classifiers_own_steps_take_the_rate_they_are_given(tmp_path):
    recipe = dataclasses.replace(RECIPE, probe_views=0, dropout=0.0)  # a random head has far to fall
    classifier, partition, examples = make(recipe)
    step = stepper(classifier, partition, examples, recipe)
    before = classifier.get_layer("c2").get_weights()[0].copy()
    step(1e-9)
    still = classifier.get_layer("c2").get_weights()[0].copy()
    np.testing.assert_allclose(before, still, atol=1e-6)
    step(0.1)
    assert np.abs(classifier.get_layer("c2").get_weights()[0] - still).max() > 0.01
    result = range_test(step, lowest=1e-4, highest=1e4, steps=100)
    assert result.lower <= result.upper < 1e3
