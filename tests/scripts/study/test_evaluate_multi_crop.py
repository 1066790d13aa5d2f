"""What a closer look gives, on drawn flowers and a tiny network."""

import shutil
import sys
from pathlib import Path

import pytest

from flowers_core.data.batches import stratified_sample
from flowers_core.data.corruptions import CORRUPTIONS, corrupted
from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.prediction import predict
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.runtime import Runtime
from scripts.study import evaluate_multi_crop
from tests.fixtures.manifests import training


@pytest.fixture
def bundle(tmp_path: Path, tiny_bundle: Path) -> Path:
    folder = shutil.copytree(tiny_bundle, tmp_path / "tiny")
    writer = BundleWriter.open(folder)
    writer.update(training=training())
    # So cold that parts name something, and so strict that not every answer is sure.
    writer.update(calibration=Calibration(0.005, 0.95, 0.9, 0.9))
    return folder


@pytest.fixture
def evaluate(bundle: Path, drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch):
    def call(*arguments: str) -> None:
        given = [str(bundle), "--data", str(drawn_dataset.root), "--photos", "5", "--seed", "3", *arguments]
        monkeypatch.setattr(sys, "argv", ["evaluate_multi_crop", *given])
        evaluate_multi_crop.main()

    return call


def test_one_look_and_all_looks_are_counted_photo_by_photo(
    evaluate, bundle: Path, drawn_dataset: OxfordFlowers, capsys
) -> None:
    evaluate()
    made = load_bundle(bundle)
    record = made.manifest.multi_crop["test"]
    assert (record.photos, record.seed, record.precision) == (5, 3, "int8")
    assert list(record.corruptions) == ["as they are", *CORRUPTIONS]
    assert made.calibration is not None
    runtime = Runtime(made.path("int8.tflite"))
    answerer = open_answerer(made, runtime)
    seen = 0
    for kind in ("as they are", "greyscale"):
        right = taken = not_sure = decided = sure = 0
        for photo_id in stratified_sample(drawn_dataset, "test", 5, 3).tolist():
            pixels = open_photo(drawn_dataset.path(photo_id)).pixels
            if kind != "as they are":
                pixels = corrupted(pixels, kind, photo_id)
            logits = runtime.logits(model_input(pixels, made.crop_rule).pixels[None])[0]
            whole, combined = predict(logits, made.calibration, load_taxonomy()), answerer.answer(pixels)
            label = drawn_dataset.label_of(photo_id)
            right += whole.candidates[0].label == label
            taken += combined.prediction.candidates[0].label == label
            not_sure, sure = not_sure + (not whole.sure), sure + combined.prediction.sure
            decided += bool(combined.looks and combined.looks.box)
        row = record.corruptions[kind]
        assert (5 * row.top1, 5 * row.top1_applied) == (pytest.approx(right), pytest.approx(taken))
        assert (row.abstained, row.suggested, row.sure_applied) == (not_sure, decided, sure)
        seen += decided
    assert seen  # else nothing of this was tried
    assert capsys.readouterr().out.count("\n") == 1 + 1 + len(CORRUPTIONS)


def test_nothing_is_kept_of_a_dry_run_nor_asked_of_photos_that_were_learnt(evaluate, bundle: Path) -> None:
    evaluate("--dry-run")
    writer = BundleWriter.open(bundle)
    assert writer.manifest.multi_crop == {}
    writer.update(training=training(splits=("train", "validation")))
    with pytest.raises(BundleError, match="has learnt from the validation photos"):
        evaluate("--split", "validation")
