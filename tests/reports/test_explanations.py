"""The tables of explanation methods: old records, and those with a closer look."""

from dataclasses import replace

from flowers_core.explain.metrics.interval import Interval
from flowers_core.reports.explanations import explanations_table
from tests.fixtures.method_records import record, row


def test_an_older_record_has_the_columns_that_it_knows() -> None:
    first, second = explanations_table(record()).split("\n\n")
    lines = first.splitlines()
    assert lines[0] == "| method | deletion | insertion | seconds |"
    assert lines[2] == "| lime | 0.100 [0.090, 0.110] | 0.800 [0.790, 0.810] | 2.000 |"
    assert lines[-1] == "| centre | 0.400 [0.390, 0.410] | 0.500 [0.490, 0.510] | — |"
    assert second.splitlines()[:3] == ["| method | sanity |", "| --- | --- |", "| lime | 0.10 |"]


def test_a_closer_look_has_columns_of_its_own() -> None:
    closer = {
        "over_centre": Interval(0.05, 0.02, 0.08),
        "road": Interval(0.3, 0.2, 0.4),
        "rank": Interval(0.7, 0.6, 0.8),
    }
    seen = replace(record(cam=row(0.3, 0.6) | closer), complexity_rise={"cam": -0.125})
    first, second = explanations_table(seen).split("\n\n")
    assert (
        "| cam | 0.300 [0.290, 0.310] | 0.600 [0.590, 0.610] | 0.050 [0.020, 0.080] | 0.300 [0.200, 0.400] | 0.010 |"
        in first
    )
    assert second.splitlines()[0] == "| method | sanity | complexity rise | rank |"
    assert "| cam | 0.10 | -0.12 | 0.700 [0.600, 0.800] |" in second
    assert "| random | — | — | — |" in second
