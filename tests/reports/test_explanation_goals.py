"""Targets of maps, concepts and counterfactuals beside what was reached."""

from dataclasses import replace

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.class_pictures import ClassPictureRecord
from flowers_core.explain.records.concepts import ConceptRecord
from flowers_core.explain.records.counterfactuals import CounterfactualRecord
from flowers_core.reports.explanation_goals import explanation_goals_table
from flowers_core.reports.run_records import RunRecord, record_of
from tests.fixtures.method_records import record, row
from tests.fixtures.shipped import TESTED

SHARE, HALF = Interval(0.95, 0.9, 1.0), Interval(0.5, 0.25, 0.75)
CONCEPTS = ConceptRecord(400, 0, 128, 0.9, 0.891, SHARE, Interval(3.0, 2.5, 3.5), HALF, 2e-6, 12.34, 0.85, 0.8)
PICTURES = ClassPictureRecord(102, 16, 0.5, 5, SHARE, HALF, 11987, 3.456)
COUNTERFACTUALS = CounterfactualRecord(200, 7, 64, 6, SHARE, 3.0, 1.25, HALF, SHARE, HALF)


def _shipped() -> RunRecord:
    return record_of(TESTED)


def _bare() -> RunRecord:
    none = dict.fromkeys(("concepts", "counterfactuals", "class_pictures", "explanations", "off_centre"))
    return replace(_shipped(), **none)


def test_the_map_that_is_shown_first_is_set_beside_its_targets() -> None:
    closer = {"gap": Interval(0.4, 0.35, 0.45), "over_centre": Interval(0.3, 0.25, 0.35)}
    seen = record(occlusion=row(0.2, 0.6) | closer)
    off = replace(record(occlusion=row(0.2, 0.6) | {"over_centre": Interval(0.2, 0.1, 0.3)}), photos=40, seed=3)
    maps = replace(_bare(), explanations=seen, off_centre=off)
    lines = explanation_goals_table([maps]).splitlines()[2:]
    model, off_centre = f"| {TESTED.name}, 51 photos, seed 0 |", f"| {TESTED.name}, 40 photos, seed 3 |"
    assert lines == [
        f"{model} Occlusion: insertion − deletion | ≥ 0.50 | 0.400 [0.350, 0.450] |",
        f"{model} Occlusion: over a map of the photo's middle | ≥ 0.05, interval above 0 | 0.300 [0.250, 0.350] |",
        f"{model} Occlusion: milliseconds, mean | ≤ 100 | 10 |",
        f"{off_centre} Occlusion, flower off the centre: over the middle | ≥ 0.15 | 0.200 [0.100, 0.300] |",
    ]
    # A record from before the photos were compared one by one has no such rows.
    assert explanation_goals_table([replace(maps, explanations=record())]) == ""


def test_a_row_for_each_target() -> None:
    bare = _bare()
    assert explanation_goals_table([bare]) == ""
    lines = explanation_goals_table([replace(bare, concepts=CONCEPTS, counterfactuals=COUNTERFACTUALS)]).splitlines()
    assert len(lines) == 2 + 6 + 5
    concepts = f"| {TESTED.name}, 400 photos, seed 0 | "
    assert f"{concepts}accuracy through 128 concepts ÷ the model's | ≥ 99 % | 99.00 % |" in lines
    assert f"{concepts}first concept removed ÷ one drawn from those present | ≥ 3 | 6.0 |" in lines
    counterfactuals = f"| {TESTED.name}, 200 photos, seed 7 | "
    assert (
        f"{counterfactuals}mistakes that turn with ≤ 6 of 64 positions | ≥ 95 % | 95.00 % [90.00, 100.00]; median 3 |"
        in lines
    )
    assert f"{counterfactuals}as many random squares turn it or halve its odds | — | 50.00 % [25.00, 75.00] |" in lines


def test_class_pictures_are_counted_as_pictures_and_as_crops() -> None:
    lines = explanation_goals_table([replace(_bare(), class_pictures=PICTURES)]).splitlines()[2:]
    begins = f"| {TESTED.name}, 102 class pictures, seed 5 | "
    assert lines == [
        f"{begins}pictures of which most of 16 random crops are named rightly | ≥ 95 % | 95.00 % [90.00, 100.00] |",
        f"{begins}crops that are named rightly | — | 50.00 % [25.00, 75.00] |",
        f"{begins}bytes of the largest picture | ≤ 12 000 | 11987 |",
        f"{begins}seconds of a core for a picture, median | — | 3.5 |",
    ]
