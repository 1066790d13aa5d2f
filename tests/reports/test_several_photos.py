"""The table of what several photos of one plant give."""

from flowers_core.inference.records.several_photos import SeveralPhotosFigures, SeveralPhotosMetrics
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.several_photos import several_photos_table
from tests.fixtures.manifests import training


def test_the_table_has_a_row_for_each_kind() -> None:
    figures = SeveralPhotosFigures(40, 0.05, 0.025, 0.9, None, 0.0, 0.1, 0.85)
    measured = SeveralPhotosMetrics("int8", "test", 3, 1, 0, {"corrupted": figures})
    record = RunRecord("one", "tiny", training(), {}, several_photos=measured)
    assert several_photos_table([record]).splitlines()[-1] == (
        "| one | test, corrupted | 3 | 40 | 5.00 | 2.50 | 90.00 | — | 0.00 | 10.00 | 85.00 |"
    )
    assert several_photos_table([RunRecord("two", "tiny", training(), {})]) == ""
