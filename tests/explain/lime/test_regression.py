import numpy as np

from flowers_core.explain.lime.masks import balanced_masks
from flowers_core.explain.lime.regression import ALPHA, SAMPLES, RegressionFit
from flowers_core.explain.lime.surrogate import ridge
from tests.explain.lime.drawn import photo, smooth_logits
from tests.fixtures.subjects import subject


def test_it_is_ridge_that_knows_the_pairs():
    """The whole photo, then pairs: groups 0, 1, 1, 2, 2."""
    fit = RegressionFit(subject(photo(), smooth_logits))
    masks = balanced_masks(5, 3, np.random.default_rng(0), 0.51)
    values = np.array([1.0, 0.5, 0.2, 0.9, -0.3])
    expected = ridge(masks, values, ALPHA, groups=np.array([0, 1, 1, 2, 2]))
    found = fit.surrogate(masks, values)
    np.testing.assert_array_equal(found.coefficients, expected.coefficients)
    np.testing.assert_array_equal(found.covariance, expected.covariance)
    assert fit.samples_for(30) == SAMPLES
    np.testing.assert_array_equal(fit.logits(photo()[None]), smooth_logits(photo()[None]))
