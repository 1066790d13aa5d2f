"""Targets for people's photos beside what the default reached, and whether that is enough."""

from dataclasses import replace

import pytest

from flowers_core.inference.bundle import DEFAULT_BUNDLE
from flowers_core.inference.records.confidence import ConfidenceFigures, DetectionFigures, NoveltyFigures
from flowers_core.inference.records.external import ExternalFlowers, ExternalMetrics, ExternalWithoutFlower
from flowers_core.inference.records.near_novelty import NearDraw, NearNoveltyRecord
from flowers_core.reports.doubt_goals import doubt_goals_note, doubt_goals_table
from flowers_core.reports.run_records import RunRecord, record_of
from tests.fixtures.shipped import TESTED

CLEAN = ConfidenceFigures(100, 0.96, 0.0101, 0.02, 0.003, 0.004, 0.0005, 0.0015, 0.92, 0.996, 0.958, 1.2)
CORRUPTED = replace(CLEAN, ece=0.015, aurc_gain_low=-0.0001, set_coverage=0.929)
SCORE = DetectionFigures(0.996, 0.99, 1.0, 0.021, 0.0, 0.03)


@pytest.fixture(scope="module")
def shipped() -> RunRecord:
    record = record_of(TESTED)
    assert record.confidence is not None
    found = {"external": NoveltyFigures("test", 100, 234, 2, 220, {"familiarity": SCORE})}
    confidence = replace(
        record.confidence, figures={"test": {"clean": CLEAN, "corrupted": CORRUPTED}}, novelty_figures=found
    )
    test = replace(record.metrics["int8"]["test"], top1=0.973, balanced_accuracy=0.9799)
    corruptions = replace(record.corruptions["int8"]["test"], mean=0.92, top1={"small and off-centre": 0.7})
    return replace(
        record,
        metrics={"int8": {"test": test}},
        corruptions={"int8": {"test": corruptions}},
        confidence=confidence,
    )


def test_each_target_is_judged(shipped: RunRecord) -> None:
    left_out = [
        NearDraw(seed, (1,), 0.9, 10, 5, {"fdbd": DetectionFigures(0.92, 0, 1, fpr, 0, 1)}, {"fdbd": (0.9, 0.4)})
        for seed, fpr in enumerate((0.2, 0.3))
    ]
    near = [NearNoveltyRecord("frozen", "lite", tuple(left_out)), NearNoveltyRecord("trained", "lite", tuple(left_out))]
    rows = doubt_goals_table([shipped], near).splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [
        *[f"| {TESTED.name}"] * 16,
        *["| 2 trainings without some flowers"] * 2,
    ]
    assert ["| " + row.split(" | ", 1)[1] for row in rows] == [
        "| learnt from 2040 photos: top-1 | ≥ 97.30 | 97.30 | yes |",
        "| learnt from 2040 photos: balanced accuracy | ≥ 98.00 | 97.99 | no |",
        "| corrupted: top-1, mean over the corruptions | ≥ 92.00 | 92.00 | yes |",
        "| corrupted: top-1, small and off-centre | ≥ 75.00 | 70.00 | no |",
        "| clean: ECE | ≤ 1.00 | 1.01 | no |",
        "| clean: AURC below that of the top probability, interval in thousandths | above 0 | 0.50 to 1.50 | yes |",
        "| corrupted: ECE | ≤ 1.50 | 1.50 | yes |",
        "| corrupted: AURC below that of the top probability, interval in thousandths | above 0 | -0.10 to 1.50 | no |",
        "| sure, of all answers | ≥ 92.00 | 92.00 | yes |",
        "| right, of the sure ones | ≥ 99.50 | 99.60 | yes |",
        "| clean: sets hold the true class | 95 ± 1 | 95.80 | yes |",
        "| clean: classes in a set, mean | ≤ 1.6 | 1.20 | yes |",
        "| corrupted: sets hold the true class | ≥ 93.00 | 92.90 | no |",
        "| no flower: AUROC | ≥ 99.50 | 99.60 | yes |",
        "| no flower: FPR at 95 % TPR | ≤ 2.00 | 2.10 | no |",
        "| no flower: named without doubt, of 234 | ≤ 1 | 2 | no |",
        "| flowers left out of training: AUROC | ≥ 93.00 | 92.00 | no |",
        "| flowers left out of training: FPR at 95 % TPR | ≤ 30.00 | 25.00 | yes |",
    ]


def test_the_half_that_the_defaults_network_has_not_learnt_judges_it_by_the_same_targets(shipped: RunRecord) -> None:
    assert shipped.confidence is not None
    half = replace(
        shipped,
        name="all_but_half_0_joined",
        training=replace(shipped.training, photos=5114, held_out_half=0),
        metrics={"int8": {"validation": shipped.metrics["int8"]["test"]}},
        corruptions={"int8": {"validation": shipped.corruptions["int8"]["test"]}},
        confidence=replace(shipped.confidence, figures={"validation": shipped.confidence.figures["test"]}),
    )
    told = [
        row.replace(TESTED.name, half.name).replace("2040 photos", "5114 photos")
        for row in doubt_goals_table([shipped], []).splitlines()[2:]
    ]
    assert doubt_goals_table([half], []).splitlines()[2:] == told
    assert "measured on that half" in doubt_goals_note([half])
    assert "measured on that half" not in doubt_goals_note([shipped])


def test_the_default_is_judged_by_other_peoples_flowers(shipped: RunRecord) -> None:
    nothing = ExternalWithoutFlower(234, 0, 0)
    one = ExternalMetrics("int8", ExternalFlowers(200, 0.7, 0.875, 1, 90, 90), {}, nothing)
    more = ExternalMetrics("int8", ExternalFlowers(200, 0.695, 0.88, 2, 90, 90), {}, nothing)
    default = replace(
        shipped, name=DEFAULT_BUNDLE, metrics={}, corruptions={}, confidence=None, external=one, external_looks=more
    )
    assert doubt_goals_table([default], []).splitlines()[2:] == [
        f"| {DEFAULT_BUNDLE} | 200 external flowers, {row} |"
        for row in (
            "one look: top-1 | ≥ 70.00 | 70.00 | yes",
            "one look: top-5 | ≥ 88.00 | 87.50 | no",
            "one look: wrong at 90 % | < 1.00 | 0.50 | yes",
            "all looks: top-1 | ≥ 70.00 | 69.50 | no",
            "all looks: top-5 | ≥ 88.00 | 88.00 | yes",
            "all looks: wrong at 90 % | < 1.00 | 1.00 | no",
        )
    ]


def test_without_measurements_there_is_no_table(shipped: RunRecord) -> None:
    assert doubt_goals_table([], []) == ""
    assert "three kinds" not in doubt_goals_note([shipped])


def test_the_note_has_its_figures_from_the_records(shipped: RunRecord) -> None:
    test = shipped.metrics["int8"]["test"]
    runs = [
        replace(shipped, name=name, metrics={"int8": {"test": replace(test, top1=top1)}})
        for name, top1 in (
            ("efficientnet_lite0_1020", 0.5),
            ("ensemble", 0.625),
            ("efficientnet_lite0_1020_joined", 0.5625),
        )
    ]
    note = doubt_goals_note(runs)
    assert "name 62.50 % of the test photos rightly together, the best of them alone 50.00 %" in note
    assert "a branch for each of two kinds of views, and twice as many epochs, bring 56.25 %" in note
