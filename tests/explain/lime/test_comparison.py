"""The record of our LIME against the package, worked out by hand for two photos."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.lime.comparison import BackendRuns, lime_record
from flowers_core.explain.metrics.faithfulness import Curves
from flowers_core.explain.records.lime import OURS, PACKAGE


def explanation(samples: int, converged: bool) -> Explanation:
    return Explanation(
        method="lime",
        target=ClassTarget(1),
        contributions=np.ones((2, 2), np.float32),
        value=4.0,
        unit="logit",
        box=(0.0, 0.0, 2.0, 2.0),
        photo_size=(2, 2),
        seconds=0.0,
        settings={"samples": samples, "converged": converged},
    )


def flat(deletion: float, insertion: float) -> Curves:
    """Of a constant probability the area is the probability."""
    return Curves(np.full(11, deletion), np.full(11, insertion))


def test_gains_are_of_the_same_photos_and_positive_where_ours_is_better():
    ours = BackendRuns(
        seconds={7: 1.0, 9: 2.0},
        maps={7: explanation(100, True), 9: explanation(300, False)},
        curves={7: flat(0.1, 0.8), 9: flat(0.3, 0.6)},
        stability={7: 0.9},
    )
    package = BackendRuns(
        seconds={7: 3.0, 9: 10.0},
        maps={7: explanation(1000, True), 9: explanation(1000, True)},
        curves={7: flat(0.2, 0.7), 9: flat(0.6, 0.5)},
        stability={7: 0.4},
    )
    record = lime_record(
        {OURS: ours, PACKAGE: package}, machine="drawn", split="test", seed=0, seeds=2, per_position=True
    )
    assert record.deletion_gain.value == pytest.approx((0.1 + 0.3) / 2)
    assert record.stability_gain is not None
    assert record.stability_gain.value == pytest.approx(0.5)
    assert (record.samples, record.converged, record.stability_photos) == (200, 0.5, 1)
    assert record.backends[OURS].times_ours.value == 1
    assert record.backends[PACKAGE].times_ours.value == pytest.approx((3 + 5) / 2)
    assert record.backends[PACKAGE].seconds.value == pytest.approx(6.5)


def test_what_was_not_measured_is_none():
    runs = BackendRuns(seconds={7: 1.0}, maps={7: explanation(10, True)}, curves={7: flat(0.1, 0.9)})
    record = lime_record({OURS: runs, PACKAGE: runs}, machine="", split="test", seed=0, seeds=1, per_position=False)
    assert record.stability_gain is None
    assert record.backends[OURS].stability is None
    assert record.backends[OURS].insertion.value == pytest.approx(0.9)
