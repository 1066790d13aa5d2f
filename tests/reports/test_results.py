import re
from dataclasses import replace
from pathlib import Path

import pytest

from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.lime import OURS, PACKAGE, PACKAGE_ON_KERAS, LimeBackend, LimeRecord
from flowers_core.inference.bundle import list_bundles, load_bundle
from flowers_core.inference.records.metrics import AccuracyByRule, NearDuplicateRule
from flowers_core.reports.exports import load_exports
from flowers_core.reports.large_galleries import load_large_galleries
from flowers_core.reports.lime import lime_sentence, lime_table
from flowers_core.reports.model_card import cards
from flowers_core.reports.near_novelty import load_near_novelty
from flowers_core.reports.own_photos import load_own_photos
from flowers_core.reports.published import published_table
from flowers_core.reports.results import (
    ResultsError,
    near_duplicates_note,
    readme_table,
    results_document,
    split_table,
    with_table,
)
from flowers_core.reports.run_records import RunRecord, list_records, record_of
from flowers_core.reports.training_speed import load_training_speed
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.manifests import metrics, training
from tests.fixtures.shipped import TESTED

ROOT = Path(__file__).resolve().parents[2]


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_documents_say_what_the_records_say() -> None:
    bundles, records = list_bundles(default_models_dir()), list_records(default_models_dir())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / "results.md").read_text(encoding="utf-8") == results_document(
        records,
        load_training_speed(default_models_dir()),
        load_near_novelty(default_models_dir()),
        load_exports(default_models_dir()),
        load_large_galleries(default_models_dir()),
        load_own_photos(default_models_dir()),
    )
    assert with_table(readme, readme_table(records)) == readme
    assert (default_models_dir() / "README.md").read_text(encoding="utf-8") == cards(bundles)


def test_a_familys_figures_are_those_of_its_photos() -> None:
    """Counted here photo by photo; the table counts in the confusion matrix."""
    answers = load_predictions(TESTED.path("test_predictions.npz"), "int8")
    family_of = {taxon.label: taxon.family for taxon in load_taxonomy()}
    card = cards([TESTED])
    rows = [row for row in cells(card) if len(row) == 5 and row[0].endswith("aceae")]
    assert len(rows) == len(set(family_of.values()))
    for family, _, photos, named, within in rows:
        members = [
            (int(true), int(called))
            for true, called in zip(answers.labels, answers.predicted, strict=True)
            if family_of[int(true)] == family
        ]
        assert photos == str(len(members))
        assert named == f"{100 * sum(true == called for true, called in members) / len(members):.2f}"
        assert within == f"{100 * sum(family_of[called] == family for _, called in members) / len(members):.2f}"


def test_the_tables_accuracy_is_that_of_the_stored_answers() -> None:
    """Counted here from the stored answers, by a way of its own."""
    rows = cells(readme_table(list_records(default_models_dir())))[2:-1]
    assert rows
    for name, precision, _, _, top1, _ in rows:
        answers = load_predictions(load_bundle(default_models_dir() / name).path("test_predictions.npz"), precision)
        assert len(answers) == 6149
        right = sum(int(row.argmax()) + 1 == label for row, label in zip(answers.logits, answers.labels, strict=True))
        assert top1 == f"{100 * right / 6149:.2f}"


def test_every_row_has_as_many_cells_as_the_header() -> None:
    document = results_document(list_records(default_models_dir()))
    for table in re.findall(r"(?:^\|.*\n?)+", document, flags=re.MULTILINE):
        assert len({len(row) for row in cells(table.strip())}) == 1


def test_near_duplicates_are_a_column_where_they_are_known() -> None:
    records = [record_of(TESTED)]
    test = records[0].metrics["int8"]["test"]
    rule = NearDuplicateRule(9, 0.8, "seer")
    alone = AccuracyByRule(6000, 0.87654, test.balanced_accuracy, test.top5, test.ece, test.nll, rule)
    known, unknown = (
        replace(records[0], name=name, metrics={"int8": {"test": replace(test, without_near_duplicates=found)}})
        for name, found in (("known", alone), ("unknown", None))
    )
    header, _, first, second = cells(split_table([known, unknown]))
    assert [row[header.index("top-1 without near-duplicates")] for row in (first, second)] == ["87.65", "—"]
    assert "top-1 without near-duplicates" not in split_table([unknown])
    note = near_duplicates_note([known, unknown])
    assert "9 of 64 bits, and whose embedding by seer has a cosine of 0.8 or more" in note
    assert near_duplicates_note([unknown]) == ""


def test_lime_is_told_as_it_was_measured() -> None:
    def backend(seconds: float, ratio: float, *rest: Interval | None) -> LimeBackend:
        return LimeBackend(50, Interval(seconds, seconds / 2, seconds * 2), Interval(ratio, ratio, ratio + 1), *rest)

    record = LimeRecord(
        machine="some machine, 2 cores",
        split="test",
        seed=3,
        seeds=10,
        stability_photos=12,
        samples=129.0,
        converged=0.8,
        backends={
            OURS: backend(0.25, 1.0, *[Interval(0.3, 0.2, 0.4)] * 3),
            PACKAGE: backend(3.0, 12.04, *[Interval(0.35, 0.3, 0.4)] * 3),
            PACKAGE_ON_KERAS: backend(10.0, 41.26),
        },
        deletion_gain=Interval(0.05, 0.01, 0.09),
        stability_gain=Interval(-0.1, -0.2, 0.004),
    )
    rows = cells(lime_table(record))
    assert rows[2] == [
        "ours, INT8",
        "50",
        "0.250 [0.125, 0.500]",
        "1.0 [1.0, 2.0]",
        *["0.300 [0.200, 0.400]"] * 3,
    ]
    assert rows[3][3] == "12.0 [12.0, 13.0]"
    assert rows[4] == ["package, Keras predict", "50", "10.0 [5.0, 20.0]", "41.3 [41.3, 42.3]", "—", "—", "—"]
    assert lime_sentence(record) == (
        "50 photos of the test split (seed 3), some machine, 2 cores. Ours took a median of 129 perturbation samples. "
        "The ranking converged for 80 % of the photos. The deletion gain is 0.050 [0.010, 0.090], and the stability "
        "gain is -0.100 [-0.200, 0.004] on 12 photos with 10 seeds each. A gain above 0 favours ours."
    )
    run = replace(list_records(default_models_dir())[0], lime=record)
    assert lime_table(record) in results_document([run])
    assert "LIME against the package" not in results_document([replace(run, lime=None)])


def test_published_figures() -> None:
    rows = cells(published_table([]))
    assert rows[2] == ["VGG16, published", "Keras", "—", "80.37", "82.91"]
    assert rows[7] == ["InceptionV3, published", "int8", "10.9", "—", "86.11"]
    assert rows[8][0] == "VGG16, not run: its ImageNet weights are not available"


def a_run(name: str, backbone: str, top1: float, **entries: object) -> RunRecord:
    reached = {"int8": {"test": metrics(top1=top1)}}
    return RunRecord(name, backbone, training(**entries), reached, model_bytes={"int8": 11_000_000})


def test_runs_of_the_published_recipe_stand_beside_it_frozen_and_unfrozen() -> None:
    same = {"named_recipe": "published", "recipe": {"unfrozen_layers": 10}}
    runs = [
        a_run("better", "inception_v3_mixed8", 0.92, recipe={"unfrozen_layers": 52}),
        a_run("probe", "inception_v3_mixed8", 0.87),
        a_run("inc", "inception_v3_mixed8", 0.881, **same, frozen="f"),
        a_run("f", "inception_v3_mixed8", 0.851, **same | {"recipe": {"unfrozen_layers": 0}}),
        a_run("mob", "mobilenet_v2", 0.8, **same, frozen="not kept"),
        a_run("other", "mobilenet_v2", 0.99, recipe={"unfrozen_layers": 10}),
    ]
    rows = cells(published_table(runs))
    assert [row[0].split(",")[0] for row in rows[8:10]] == ["VGG16", "ResNet50"]
    assert rows[10:] == [
        ["here, same recipe: inc", "int8", "11.00", "85.10", "88.10"],
        ["here: better", "int8", "11.00", "—", "92.00"],
        ["here: probe", "int8", "11.00", "87.00", "—"],
        ["here, same recipe: mob", "int8", "11.00", "—", "80.00"],
    ]


def test_a_document_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ResultsError, match="no place for the table"):
        with_table("# Nothing", "| a |")
    with pytest.raises(ResultsError, match="no place for the table"):
        with_table("<!-- results begin --> and no end", "| a |")


def test_the_table_is_replaced_and_the_rest_is_kept() -> None:
    document = "above\n<!-- results begin -->\nold\n<!-- results end -->\nbelow"
    assert with_table(document, "| new |") == "above\n<!-- results begin -->\n| new |\n<!-- results end -->\nbelow"
