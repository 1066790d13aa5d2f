"""The table of what suggestions from crops give."""

from flowers_core.inference.records.multi_crop import MultiCropCounts, MultiCropMetrics
from flowers_core.reports.multi_crop import multi_crop_table
from flowers_core.reports.run_records import RunRecord
from tests.fixtures.manifests import training


def test_the_table_has_a_row_for_each_kind() -> None:
    grey = MultiCropCounts(0.5, abstained=6, suggested=4, suggested_correct=3, answered_correct=1, top1_applied=2 / 3)
    measured = {"test": MultiCropMetrics("int8", 12, 0, {"grey": grey})}
    record = RunRecord("one", "tiny", training(), {}, multi_crop=measured)
    assert multi_crop_table([record]).splitlines()[-1] == ("| one | grey | test | 12 | 50.00 | 6 | 4 | 3 | 1 | 66.67 |")
    assert multi_crop_table([RunRecord("two", "tiny", training(), {})]) == ""
