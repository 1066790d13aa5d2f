"""What is kept of LIME against the package, and its intervals."""

from dataclasses import asdict

import numpy as np
import pytest

from flowers_core.explain.records.lime import (
    OURS,
    PACKAGE,
    Interval,
    LimeRecord,
    LimeRecordError,
    LimeWay,
    interval,
    load_lime,
    save_lime,
)

RECORD = LimeRecord(
    machine="a machine, 2 cores",
    split="test",
    seed=0,
    seeds=10,
    alike_photos=4,
    looks=128.0,
    settled=0.75,
    ways={
        OURS: LimeWay(
            8,
            Interval(0.2, 0.1, 0.3),
            Interval(1.0, 1.0, 1.0),
            Interval(0.3, 0.2, 0.4),
            Interval(0.9, 0.8, 1.0),
            Interval(0.8, 0.7, 0.9),
        ),
        PACKAGE: LimeWay(8, Interval(3.25, 3.0, 3.5), Interval(15.5, 14.0, 17.0)),
    },
    deletion_less=Interval(0.02, -0.01, 0.05),
    alike_more=None,
)


def test_a_record_comes_back_as_it_was(tmp_path):
    path = tmp_path / "lime.json"
    save_lime(RECORD, path)
    found = load_lime(path)
    assert asdict(found) == asdict(RECORD)
    assert found.ways[OURS].deletion == Interval(0.3, 0.2, 0.4)
    assert found.alike_more is None


@pytest.mark.parametrize("content", ["", "[]", '{"ways": {}}', '{"ways": {"ours": {"seconds": 1}}}'])
def test_what_is_no_record_is_refused(tmp_path, content):
    path = tmp_path / "lime.json"
    path.write_text(content)
    with pytest.raises(LimeRecordError, match=r"lime\.json is no record of LIME"):
        load_lime(path)


def test_intervals_are_those_of_scipy():
    from scipy.stats import bootstrap

    values = np.random.default_rng(0).gamma(2.0, size=40)
    for statistic in (np.mean, np.median):
        theirs = bootstrap(
            (values,), statistic, n_resamples=9999, method="percentile", rng=np.random.default_rng(1)
        ).confidence_interval
        ours = interval(values, statistic)
        assert ours.value == pytest.approx(statistic(values))
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.06)
    assert interval([3.0]) == Interval(3.0, 3.0, 3.0)
