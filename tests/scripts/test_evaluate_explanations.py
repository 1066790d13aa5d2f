"""The evaluation of explanations on drawn flowers and a tiny network: whole, broken off, and taken up again."""

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.explain import method_evaluation
from flowers_core.explain.records.methods import EXPLANATIONS_FILE, load_methods
from flowers_core.reports.default_method import default_sentence
from scripts import evaluate_explanations

METHODS = ["cam", "grad_cam", "occlusion"]  # the first is always measured
ROWS = [*METHODS, "random", "centre"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    return shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def evaluate(bundle: Path, drawn_dataset: OxfordFlowers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the script; the answer is its folder of records."""

    def call(*arguments: str) -> Path:
        given = [str(bundle), "--data", str(drawn_dataset.root), "--out", str(tmp_path), "--methods", *METHODS[1:]]
        monkeypatch.setattr(sys, "argv", ["evaluate_explanations", *given, *arguments])
        evaluate_explanations.main()
        (folder,) = tmp_path.iterdir()
        return folder

    return call


@pytest.mark.slow
def test_the_table_has_a_row_for_each_method_and_the_bundle_keeps_it(evaluate, bundle: Path, capsys) -> None:
    folder = evaluate("--photos", "4", "--sanity-photos", "2", "--closer-photos", "1")
    lines = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    assert len(lines) == 4 * len(ROWS)
    with (folder / "table.csv").open(newline="", encoding="utf-8-sig") as handle:
        rows = {row["method"]: row for row in csv.DictReader(handle)}
    assert list(rows) == ROWS
    for name, row in rows.items():
        own = [line["deletion"] for line in lines if line["method"] == name]
        assert float(row["deletion"]) == pytest.approx(np.mean(own))
        assert float(row["deletion_low"]) <= float(row["deletion"]) <= float(row["deletion_high"])
        if name in METHODS:
            assert -1 <= float(row["sanity"]) <= 1
    record = load_methods(bundle / EXPLANATIONS_FILE)
    assert record.photos == 4
    assert list(record.figures) == ROWS
    assert set(record.methods) == set(METHODS)
    assert record.figures["cam"]["deletion"].value == pytest.approx(float(rows["cam"]["deletion"]))
    assert default_sentence(record) in capsys.readouterr().out
    # One photo was looked at closely, for every method and for the baselines.
    assert sum(line["road"] is not None for line in lines) == len(ROWS)
    assert record.closely == 1
    assert record.figures["centre"]["road"].value == pytest.approx(float(rows["centre"]["road"]))
    assert record.figures["centre"]["over_centre"].value == 0
    assert set(record.complexity_rise) == set(METHODS)


def test_validation_photos_leave_the_bundle_as_it_is(evaluate, bundle: Path, capsys) -> None:
    before = {path.name: path.read_bytes() for path in bundle.iterdir()}
    folder = evaluate(
        *("--split", "validation", "--photos", "1", "--closer-photos", "0", "--sanity-photos", "0", "--methods", "cam")
    )
    assert folder.name.endswith("-validation")
    assert "| cam | " in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in bundle.iterdir()} == before


def test_a_broken_off_run_goes_on_where_it_was(evaluate, monkeypatch) -> None:
    scored = []
    score = method_evaluation.score

    def counting(method, *arguments):
        scored.append(method.name)
        return score(method, *arguments)

    monkeypatch.setattr(method_evaluation, "score", counting)
    folder = evaluate("--photos", "2", "--sanity-photos", "0")
    assert len(scored) == 2 * len(METHODS)
    whole = (folder / "scores.jsonl").read_text().splitlines()
    # Killed while the last line was being written: a baseline's, for which no method need be run but the closed form.
    (folder / "scores.jsonl").write_text("\n".join(whole[:-1]) + "\n" + whole[-1][:20])
    scored.clear()
    evaluate("--photos", "3", "--sanity-photos", "0")
    assert sorted(scored) == sorted(["cam", *METHODS])
    again = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    assert [json.loads(line) for line in whole[:-1]] == again[: len(whole) - 1]
    assert len({(line["photo_id"], line["method"]) for line in again}) == len(again) == 3 * len(ROWS)
