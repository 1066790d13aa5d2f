"""The table of training photos that decide, row by row."""

from dataclasses import replace

from flowers_core.explain.metrics.interval import Interval
from flowers_core.reports.representers import representers_table
from flowers_core.reports.run_records import record_of
from tests.fixtures.shipped import DEFAULT, TESTED


def test_a_row_for_each_model_that_was_measured() -> None:
    first, second = (record_of(bundle) for bundle in (TESTED, DEFAULT))
    assert first.representers is not None
    found = replace(
        first.representers,
        training_photos=2040,
        agreement=0.9995,
        largest_error=2e-5,
        datamodelling=Interval(0.5, 0.25, 0.75),
        fall=Interval(0.06, 0.05, 0.07),
        random_fall=Interval(0.04, 0.03, 0.05),
        milliseconds=0.25,
    )
    rows = representers_table([replace(first, representers=found), replace(second, representers=None)]).splitlines()
    assert len(rows) == 3
    assert rows[-1] == (
        f"| {first.name} | 2040 | 99.95 | 2e-05 | 0.500 [0.250, 0.750] | 6.0 [5.0, 7.0] | 4.0 [3.0, 5.0] | 1.50 | 0.2 |"
    )
    assert representers_table([replace(first, representers=None)]) == ""
