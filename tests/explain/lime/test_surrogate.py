"""Ridge against scikit-learn, its intervals against simulation, and when a ranking has converged."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from flowers_core.explain.lime.surrogate import Surrogate, ridge

ALPHA = 1.0


def independent_masks(samples: int, superpixels: int, random: np.random.Generator) -> np.ndarray:
    """Each superpixel shown with probability ½; the first sample is the whole photo."""
    masks = random.random((samples, superpixels)) < 0.5
    masks[0] = True
    return masks


@pytest.mark.parametrize(("samples", "superpixels"), [(200, 12), (12, 30), (2, 1)])
def test_ridge_is_scikit_learns(samples, superpixels):
    random = np.random.default_rng(samples)
    masks = independent_masks(samples, superpixels, random)
    values = random.random(samples)
    ours = ridge(masks, values, ALPHA)
    theirs = Ridge(alpha=ALPHA).fit(masks, values)
    np.testing.assert_allclose(ours.coefficients, theirs.coef_, atol=1e-10)
    assert ours.intercept == pytest.approx(theirs.intercept_)
    assert ours.r2 == pytest.approx(theirs.score(masks, values))


def test_left_out_r2_is_that_of_refitting_without_each_sample():
    random = np.random.default_rng(4)
    masks = independent_masks(40, 9, random)
    values = masks @ random.normal(size=9) + random.normal(size=40)
    predicted = np.empty(40)
    for left_out in range(40):
        others = np.arange(40) != left_out
        fit = Ridge(alpha=ALPHA).fit(masks[others], values[others])
        predicted[left_out] = fit.predict(masks[[left_out]])[0]
    ours = ridge(masks, values, ALPHA)
    assert ours.r2_left_out == pytest.approx(r2_score(values, predicted))
    assert ours.r2_left_out < ours.r2


def test_left_out_r2_sees_through_a_fit_to_noise():
    random = np.random.default_rng(5)
    masks = independent_masks(120, 60, random)
    ours = ridge(masks, random.random(120), ALPHA)
    assert ours.r2 > 0.3
    assert ours.r2_left_out < 0


def test_margins_are_right_where_errors_are_larger_for_some():
    """Errors that grow with a regressor: intervals that take them to be alike would be too narrow for it."""
    random = np.random.default_rng(6)
    truth = np.array([0.5, -0.2, 0.1])
    held, found, said = [], [], []
    for _ in range(400):
        masks = random.random((150, 3)) < 0.5
        values = masks @ truth + random.normal(size=150) * (0.05 + 0.5 * masks[:, 0])
        fit = ridge(masks, values, 1e-6)
        held.append(np.abs(fit.coefficients - truth) <= fit.margins)
        found.append(fit.coefficients)
        said.append(fit.covariance)
    np.testing.assert_allclose(np.mean(held, axis=0), 0.95, atol=0.03)
    np.testing.assert_allclose(np.mean(said, axis=0), np.cov(np.transpose(found)), rtol=0.2, atol=2e-4)


def test_samples_of_one_group_count_as_one():
    random = np.random.default_rng(7)
    masks = random.random((60, 4)) < 0.5
    values = masks @ [1.0, 0.5, 0.0, -1.0] + random.normal(size=60)
    once = ridge(masks, values, 1e-9)
    twice = ridge(np.repeat(masks, 2, axis=0), np.repeat(values, 2), 1e-9, groups=np.repeat(np.arange(60), 2))
    np.testing.assert_allclose(twice.coefficients, once.coefficients, atol=1e-6)
    # Saying everything twice adds no knowledge (a leverage is halved, so the margins are a little smaller).
    np.testing.assert_allclose(twice.margins, once.margins, rtol=0.08)


def surrogate(coefficients, deviations, correlation=0.0) -> Surrogate:
    deviations = np.asarray(deviations, float)
    covariance = np.outer(deviations, deviations) * (correlation + (1 - correlation) * np.eye(len(deviations)))
    return Surrogate(np.asarray(coefficients, float), covariance, 0.0, 1.0, 1.0)


def test_a_ranking_has_converged_when_the_lead_is_more_than_chances():
    # The lead of the second over the third is 0.2, its standard deviation √2 · 0.05: 2.8 of them.
    assert surrogate([1.0, 0.6, 0.4, 0.1], [0.05] * 4).converged(2)
    # At √2 · 0.08 it is 1.8: not more than 1.96.
    assert not surrogate([1.0, 0.6, 0.4, 0.1], [0.08] * 4).converged(2)
    # Errors that go together do not blur the difference.
    assert surrogate([1.0, 0.6, 0.4, 0.1], [0.08] * 4, correlation=0.8).converged(2)
    # One that is far behind may still be so uncertain that it could lead.
    assert not surrogate([1.0, 0.6, 0.4, 0.1], [0.01, 0.01, 0.01, 0.5]).converged(2)


def test_what_is_known_to_be_equal_has_converged_too():
    assert not surrogate([1.0, 0.5, 0.49], [0.08] * 3).converged(2)
    # The lead is at most 0.01 + 1.96 · √2 · 0.02 = 0.065, less than a fifth of the strongest.
    assert surrogate([1.0, 0.5, 0.49], [0.02] * 3).converged(2)


def test_with_all_superpixels_in_the_top_there_is_nothing_to_converge():
    assert surrogate([1.0, 0.5], [9.0, 9.0]).converged(5)
