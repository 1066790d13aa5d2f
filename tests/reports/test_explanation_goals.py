"""Targets of concepts and counterfactuals beside what was reached."""

from dataclasses import replace

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.concepts import ConceptRecord
from flowers_core.explain.records.counterfactuals import CounterfactualRecord
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.reports.explanation_goals import explanation_goals_table
from flowers_core.reports.run_records import record_of
from flowers_core.storage.paths import default_models_dir

SHARE, HALF = Interval(0.95, 0.9, 1.0), Interval(0.5, 0.25, 0.75)
CONCEPTS = ConceptRecord(400, 0, 128, 0.9, 0.891, SHARE, Interval(3.0, 2.5, 3.5), HALF, 2e-6, 12.34, 0.85, 0.8)
COUNTERFACTUALS = CounterfactualRecord(200, 7, 64, 6, SHARE, 3.0, 1.25, HALF, SHARE, HALF)


def test_a_row_for_each_target() -> None:
    bare = replace(record_of(load_bundle(default_models_dir() / DEFAULT_BUNDLE)), concepts=None, counterfactuals=None)
    assert explanation_goals_table([bare]) == ""
    lines = explanation_goals_table([replace(bare, concepts=CONCEPTS, counterfactuals=COUNTERFACTUALS)]).splitlines()
    assert len(lines) == 2 + 6 + 5
    concepts = f"| {DEFAULT_BUNDLE}, 400 photos, seed 0 | "
    assert f"{concepts}accuracy through 128 concepts ÷ the model's | ≥ 99 % | 99.00 % |" in lines
    assert f"{concepts}first concept removed ÷ one drawn from those present | ≥ 3 | 6.0 |" in lines
    counterfactuals = f"| {DEFAULT_BUNDLE}, 200 photos, seed 7 | "
    assert (
        f"{counterfactuals}mistakes that turn with ≤ 6 of 64 positions | ≥ 95 % | 95.00 % [90.00, 100.00]; median 3 |"
        in lines
    )
    assert f"{counterfactuals}as many random squares turn it or halve its odds | — | 50.00 % [25.00, 75.00] |" in lines
