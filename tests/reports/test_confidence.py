"""The tables on confidence, cell by cell."""

from dataclasses import replace

from flowers_core.inference.records.confidence import (
    ConfidenceFigures,
    ConfidenceRecord,
    DetectionFigures,
    NoveltyFigures,
)
from flowers_core.reports.confidence import confidence_note, confidence_table, novelty_sentences, novelty_table
from flowers_core.reports.run_records import RunRecord
from tests.fixtures.manifests import confidence, training

_FIGURES = ConfidenceFigures(
    photos=6149,
    top1=0.928,
    ece=0.009,
    ece_temperature=0.031,
    aurc=0.0061,
    aurc_temperature=0.0072,
    aurc_gain_low=0.0005,
    aurc_gain_high=0.0017,
    sure=0.8,
    sure_top1=None,
    set_coverage=0.972,
    set_size=1.254,
)
_SCORE = DetectionFigures(0.996, 0.994, 0.998, 0.015, 0.01, 0.03)


def _record(found: ConfidenceRecord | None) -> RunRecord:
    return RunRecord("small", "any", training(), {}, confidence=found)


def _measured() -> ConfidenceRecord:
    return confidence(
        figures={"test": {"clean": _FIGURES}},
        novelty_figures={"external": NoveltyFigures("test", 6149, 234, 1, 220, {"fdbd": _SCORE, "new": _SCORE})},
    )


def test_every_figure_is_in_its_column() -> None:
    header, _, row = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in confidence_table([_record(None), _record(_measured())]).splitlines()
    )
    assert list(zip(header, row, strict=True)) == [
        ("model", "small"),
        ("photos", "test, clean"),
        ("count", "6149"),
        ("top-1", "92.80"),
        ("ECE", "0.90"),
        ("ECE, temperature", "3.10"),
        ("AURC", "6.10"),
        ("AURC, temperature", "7.20"),
        ("AURC gain", "0.50 to 1.70"),
        ("sure", "80.00"),
        ("right", "—"),
        ("set coverage", "97.20"),
        ("set size", "1.25"),
    ]


def test_every_score_has_a_row_and_its_intervals() -> None:
    rows = novelty_table([_record(_measured())]).splitlines()[2:]
    assert rows == [
        "| small | fDBD (arXiv 2312.11536) | 6149 | 234 | 99.60 (99.40 to 99.80) | 1.50 (1.00 to 3.00) |",
        "| small | new | 6149 | 234 | 99.60 (99.40 to 99.80) | 1.50 (1.00 to 3.00) |",
    ]
    assert novelty_sentences([_record(_measured())]) == (
        "small names 1 of the 234 without doubt. To its rule, 220 look like none of the flowers, as do 2.00 % of the "
        "validation photos."
    )


def test_nothing_measured_is_no_table() -> None:
    assert confidence_table([_record(None)]) == novelty_table([_record(None)]) == ""


def test_the_note_says_whose_rules_know_real_photos_without_a_flower() -> None:
    few = _measured()
    more = replace(few, source=replace(few.source, others=few.source.others + 251))
    assert "real photos" not in confidence_note([_record(few), _record(None)])
    records = [_record(few), replace(_record(more), name="large"), replace(_record(more), name="larger")]
    assert "crops of sample pictures, and for large and larger to 251 real photos without a flower. A" in (
        confidence_note(records)
    )
    # The rules of a run without figures are in no row.
    assert "real photos" not in confidence_note([_record(few), _record(replace(more, figures={}))])
