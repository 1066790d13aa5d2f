"""The script that explores the data, on drawn flowers."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.audit.record import AUDIT_FILE, load_audit
from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation.predictions import save_predictions
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.metrics import Counterpart
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from scripts.audit_data import main
from tests.fixtures.manifests import linked_copy, training


@pytest.fixture(scope="module")
def explored(
    tmp_path_factory: pytest.TempPathFactory, drawn_dataset: OxfordFlowers
) -> tuple[Path, Path, OxfordFlowers, str]:
    """The folder of tables and figures, and a bundle with a gallery and answers to both splits, trained on train."""
    folder = tmp_path_factory.mktemp("explored")
    writer = BundleWriter.create(
        folder / "seer", name="seer", backbone="none", crop_rule=CropRule(32), classes=list(drawn_dataset.names)
    )
    rng = np.random.default_rng(0)
    embeddings = np.eye(103)[drawn_dataset.labels] + rng.random((len(drawn_dataset), 103)) * 0.1
    gallery = Gallery.build(embeddings, drawn_dataset.ids, drawn_dataset.labels, drawn_dataset.splits)
    writer.update(training=training(splits=("train", "validation")))
    writer.add_bytes(INDEX_FILE, gallery.index_bytes())
    writer.add_npz(RECORDS_FILE, compressed=True, **gallery.record_arrays())
    writer.add_bytes("float32.tflite", b"not read here")
    for split in ("validation", "test"):
        ids = drawn_dataset.split_ids(split)
        logits = rng.normal(size=(len(ids), 102)) * 4
        save_predictions(folder / "answers.npz", ids, drawn_dataset.labels[ids - 1], {"float32": logits})
        writer.add_bytes(f"{split}_predictions.npz", (folder / "answers.npz").read_bytes())
    with pytest.MonkeyPatch.context() as patch, pytest.MonkeyPatch.context() as out:
        printed: list[str] = []
        out.setattr("builtins.print", lambda *words: printed.append(" ".join(map(str, words))))
        arguments = [str(folder / "out"), "--data", str(drawn_dataset.root), "--bundle", str(folder / "seer")]
        patch.setattr(sys, "argv", ["audit_data", *arguments])
        main()
    return folder / "out", folder / "seer", drawn_dataset, "\n".join(printed)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.slow
def test_the_tables_agree_with_the_dataset(explored: tuple[Path, Path, OxfordFlowers, str]) -> None:
    out, _, flowers, _ = explored
    photos = _rows(out / "photos.csv")
    assert [int(row["label"]) for row in photos] == flowers.labels.tolist()
    for row in (photos[0], photos[-1]):
        assert (int(row["width"]), int(row["height"])) == Image.open(flowers.path(int(row["id"]))).size
    classes = {int(row["label"]): row for row in _rows(out / "classes.csv")}
    assert len(classes) == 102
    for label in np.unique(flowers.labels):
        row = classes[int(label)]
        assert (row["train"], row["validation"], row["test"], row["all"]) == ("4", "3", "5", "12")
    assert classes[1]["all"] == "0"
    summary = json.loads((out / "summary.json").read_text())
    assert summary["splits"] == {"train": 24, "validation": 18, "test": 30}
    assert "1.2 times as many test photos" in summary["warnings"][0]


def test_the_figures_are_pictures(explored: tuple[Path, Path, OxfordFlowers, str]) -> None:
    out, *_ = explored
    for name in ("class_counts", "image_sizes", "mean_images", "sample_sheet"):
        with Image.open(out / f"{name}.png") as figure:
            assert figure.width > 400
            assert np.asarray(figure.convert("L")).std() > 5


def test_the_bundle_gets_a_record_that_judges_only_photos_it_was_not_fitted_on(
    explored: tuple[Path, Path, OxfordFlowers, str],
) -> None:
    out, folder, flowers, printed = explored
    record = load_audit(load_bundle(folder).path(AUDIT_FILE))
    assert record.judged_splits == ("test",)
    assert record.fingerprint == flowers.fingerprint()
    assert record.label_issues
    assert all(flowers.split_of(photo.photo_id) == "test" for photo in record.label_issues)
    written = [int(row["id"]) for row in _rows(out / "label_issues.csv")]
    assert written == [photo.photo_id for photo in record.label_issues]
    assert f"Label issues of test: {len(record.label_issues)}." in printed


def test_a_bundle_that_has_learnt_every_label_judges_none_and_names_its_sibling(
    explored: tuple[Path, Path, OxfordFlowers, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, seer, flowers, _ = explored
    learnt = training(splits=("train", "validation", "test"))
    counterpart = Counterpart("sibling", 2040, {})
    folder = linked_copy(load_bundle(seer), tmp_path / "all", training=learnt, counterpart=counterpart)
    arguments = [str(tmp_path / "out"), "--data", str(flowers.root), "--bundle", str(folder)]
    monkeypatch.setattr(sys, "argv", ["audit_data", *arguments])
    main()
    assert load_audit(load_bundle(folder).path(AUDIT_FILE)).judged_splits == ()
    printed = capsys.readouterr().out
    assert "'seer' judges no label" in printed
    assert "take 'sibling'" in printed
    assert "Label issues" not in printed


def test_a_bundle_without_a_gallery(
    tmp_path: Path, drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowers_core.inference.bundle import BundleError

    BundleWriter.create(
        tmp_path / "bare", name="bare", backbone="none", crop_rule=CropRule(32), classes=list(drawn_dataset.names)
    ).save()
    arguments = [str(tmp_path / "out"), "--data", str(drawn_dataset.root), "--bundle", str(tmp_path / "bare")]
    monkeypatch.setattr(sys, "argv", ["audit_data", *arguments])
    with pytest.raises(BundleError, match=r"flowers build_gallery"):
        main()
    assert not (tmp_path / "out").exists()
