"""The table of what several looks give."""

from dataclasses import replace

from flowers_core.inference.looks_rule import LOOKS_RULE
from flowers_core.inference.records.multi_crop import MultiCropCounts, MultiCropMetrics
from flowers_core.reports.multi_crop import multi_crop_note, multi_crop_table
from flowers_core.reports.run_records import RunRecord
from tests.fixtures.manifests import confidence, training


def test_the_table_has_a_row_for_each_kind_measured_by_this_rule() -> None:
    grey = MultiCropCounts(0.5, 6, 4, 3, 1, 2 / 3, 5, 9, 8, 0.02, 0.015)
    older = replace(grey, sure_correct=None, sure_applied=None, sure_applied_correct=None, ece=None, ece_applied=None)
    measured = {"test": MultiCropMetrics("int8", 12, 0, {"grey": grey, "dark": older})}
    record = RunRecord("one", "tiny", training(), {}, multi_crop=measured)
    assert multi_crop_table([record]).splitlines()[2:] == [
        "| one | grey | test | 12 | 50.00 | 66.67 | 6 | 5 | 9 | 8 | 2.00 | 1.50 | 4 |"
    ]
    assert multi_crop_table([RunRecord("two", "tiny", training(), {})]) == ""


def test_the_note_names_each_fitted_rule() -> None:
    rule = replace(LOOKS_RULE, share=1 / 6, whole_weight=0.6, crops_weight=1.2, sure_from=0.912, novel_sure_from=2.0)
    note = multi_crop_note([RunRecord("one", "tiny", training(), {}, confidence=confidence(looks=rule))])
    assert (
        "one: weights of 0.6 and 1.2, a floor of 0.001, 16.67 % of the crops, sure from 91.2 % on, of strange photos "
        "never." in note
    )
    assert "For all others: weights of 0.4 and 0.8" in note
    without = multi_crop_note([RunRecord("one", "tiny", training(), {}, confidence=confidence())])
    assert "For all bundles: weights of 0.4 and 0.8" in without
    assert "one:" not in without
    assert "rule of their own" not in without
