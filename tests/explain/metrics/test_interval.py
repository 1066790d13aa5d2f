import numpy as np
import pytest

from flowers_core.explain.metrics.interval import Interval, bootstrap


def test_intervals_are_those_of_scipy() -> None:
    from scipy.stats import bootstrap as scipy_bootstrap

    values = np.random.default_rng(0).gamma(2.0, size=40)
    for statistic in (np.mean, np.median):
        theirs = scipy_bootstrap(
            (values,), statistic, n_resamples=9999, method="percentile", rng=np.random.default_rng(1)
        ).confidence_interval
        ours = bootstrap(values, statistic)
        assert ours.value == pytest.approx(statistic(values))
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.06)
    assert bootstrap([3.0]) == Interval(3.0, 3.0, 3.0)
