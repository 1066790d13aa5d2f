"""The table of what several looks give."""

from dataclasses import replace

from flowers_core.inference.looks_rule import LOOKS_RULE, LooksCertainty
from flowers_core.inference.records.multi_crop import MultiCropCounts, MultiCropMetrics
from flowers_core.reports.multi_crop import multi_crop_rules, multi_crop_table
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


def test_each_fitted_rule_has_a_row_before_that_of_all_others() -> None:
    certainty = LooksCertainty(together=0.56, whole=0.2, agreement=-0.44, intercept=-0.451, likeness=1.62)
    older = replace(certainty, likeness=0.0)
    rule = replace(LOOKS_RULE, share=1 / 6, whole_weight=0.6, crops_weight=1.2, sure_from=0.912, novel_sure_from=2.0)
    records = [
        RunRecord("one", "tiny", training(), {}, confidence=confidence(looks=rule)),
        RunRecord("two", "tiny", training(), {}, confidence=confidence()),
        RunRecord("three", "tiny", training(), {}, confidence=confidence(looks=replace(rule, certainty=certainty))),
        RunRecord("four", "tiny", training(), {}, confidence=confidence(looks=replace(rule, certainty=older))),
    ]
    assert multi_crop_rules(records).splitlines()[2:] == [
        "| one | 0.6 | 1.2 | 0.001 | 16.67 | 91.2 | never | — | — | — | — | — |",
        "| three | 0.6 | 1.2 | 0.001 | 16.67 | 91.2 | never | 0.56 | 0.20 | -0.44 | 1.62 | -0.45 |",
        "| four | 0.6 | 1.2 | 0.001 | 16.67 | 91.2 | never | 0.56 | 0.20 | -0.44 | — | -0.45 |",
        "| all others | 0.4 | 0.8 | 0.001 | 33.33 | 93.0 | never | — | — | — | — | — |",
    ]
