"""What three photos of one plant give, measured as a person asks for it."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.evaluation.several_photos import several_photos_figures
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.storage.paths import default_models_dir
from scripts.study import evaluate_several_photos


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch):
    def call(*arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["evaluate_several_photos", *map(str, arguments)])
        evaluate_several_photos.main()

    return call


@pytest.mark.slow
def test_the_shipped_figures_are_those_of_the_stored_predictions(evaluate, tmp_path: Path) -> None:
    shipped = default_models_dir() / "efficientnet_lite0_small"
    folder = tmp_path / shipped.name
    folder.mkdir()
    for name in ("bundle.json", "test_predictions.npz"):
        shutil.copy(shipped / name, folder / name)
    before = load_bundle(folder).manifest.several_photos
    assert before is not None
    evaluate(folder)
    after = load_bundle(folder).manifest.several_photos
    assert after is not None
    assert after.kinds["clean"] == before.kinds["clean"]
    # The target: half of the error of one photo.
    for figures in before.kinds.values():
        assert figures.error <= figures.error_of_one / 2
    evaluate(folder, "--photos", 2, "--dry-run")
    assert load_bundle(folder).manifest.several_photos == after
    stored = load_predictions(folder / "test_predictions.npz", "int8")
    calibration = load_bundle(folder).require_calibration()
    two = several_photos_figures(stored.logits, stored.labels, calibration, photos=2, rounds=5, seed=0)
    assert after.kinds["clean"].error < two.error < two.error_of_one


def test_photos_that_were_learnt_are_not_asked(evaluate) -> None:
    with pytest.raises(BundleError, match="has learnt from the validation photos"):
        evaluate(default_models_dir() / "efficientnet_lite0_joined", "--split", "validation")


@pytest.mark.slow  # fourteen kinds of corruption on drawn photos
def test_corrupted_photos_are_answered_by_the_model(evaluate, tmp_path, tiny_bundle, drawn_dataset: OxfordFlowers):
    from flowers_core.evaluation.official import record_predictions
    from flowers_core.inference.bundle_writer import BundleWriter
    from flowers_core.inference.records.calibration import Calibration
    from tests.fixtures.manifests import training

    folder = shutil.copytree(tiny_bundle, tmp_path / "tiny")
    writer = BundleWriter.open(folder)
    writer.update(training=training(), calibration=Calibration(0.5, 0.95, 0.9, 0.9))
    record_predictions(load_bundle(folder), writer, drawn_dataset, "test")
    evaluate(folder, "--data", drawn_dataset.root, "--corrupted", "--cache", tmp_path / "cache")
    record = load_bundle(folder).manifest.several_photos
    assert record is not None
    # Six classes of five test photos: one plant of three each, dealt five times.
    assert {kind: figures.plants for kind, figures in record.kinds.items()} == {"clean": 30, "corrupted": 30}
    assert json.loads((folder / "bundle.json").read_text())["several_photos"]["kinds"]["corrupted"]["plants"] == 30
