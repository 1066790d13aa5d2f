"""A trained classifier as a bundle: half precision, the record of its training, and a counterpart's calibration."""

import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.calibration import Calibration, CalibrationSource
from flowers_core.inference.records.metrics import Counterpart
from flowers_core.inference.records.training import DataFingerprint, ModelReference
from flowers_core.networks.classifier import head_of, load_classifier
from flowers_core.training.write_bundle import write_trained
from tests.fixtures.manifests import metrics, training
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier

HISTORY = {"epochs": [{"epoch": 1, "loss": 0.5}], "best_epoch": 1}


def written(flowers: OxfordFlowers, folder: Path, seed: int = 0, reference: Bundle | None = None) -> Bundle:
    writer = BundleWriter.create(
        folder, name=folder.name, backbone="tiny", crop_rule=CropRule(SIZE), classes=list(flowers.names)
    )
    write_trained(writer, flowers, tiny_classifier(seed=seed), training(seed=7), HISTORY, reference)
    return load_bundle(folder)


def test_the_bundle_holds_the_network_in_half_precision_with_its_record(
    tmp_path: Path, drawn_dataset: OxfordFlowers
) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "int8.tflite").write_bytes(b"of an older bundle")
    bundle = written(drawn_dataset, folder)

    trained = tiny_classifier()
    half = [weight.astype(np.float16).astype(np.float32) for weight in trained.get_weights()]
    stored = load_classifier(bundle.path("classifier.keras")).get_weights()
    for expected, found in zip(half, stored, strict=True):
        np.testing.assert_array_equal(found, expected)
    with np.load(bundle.path("head.npz")) as head:
        for name, exact in zip(("W", "b"), head_of(trained), strict=True):
            np.testing.assert_array_equal(head[name], exact.astype(np.float16).astype(np.float32))
    assert json.loads(bundle.path("history.json").read_text(encoding="utf-8")) == HISTORY

    packages = ("tensorflow", "keras", "scikit-learn", "numpy")
    assert bundle.training == replace(training(seed=7), versions={name: version(name) for name in packages})
    assert bundle.manifest.data == DataFingerprint(drawn_dataset.fingerprint(), 6 * (4 + 3 + 5))
    assert bundle.manifest.calibration is None
    assert not (folder / "int8.tflite").exists()


def test_a_bundle_that_learnt_from_validation_photos_takes_its_counterparts_calibration(
    tmp_path: Path, drawn_dataset: OxfordFlowers
) -> None:
    reached = {"int8": {"test": metrics(top1=0.9)}}
    calibration = Calibration(1.5, 0.95, 0.9, 0.4)
    source = CalibrationSource("validation", "int8", 18, corruptions=2)
    first = written(drawn_dataset, tmp_path / "first")
    BundleWriter.open(first.folder).update(calibration=calibration, calibration_source=source, metrics=reached)
    reference = load_bundle(first.folder)

    manifest = written(drawn_dataset, tmp_path / "second", seed=1, reference=reference).manifest
    assert manifest.calibration == calibration
    digest = reference.manifest.files["classifier.keras"].sha256
    assert manifest.calibration_source == replace(source, model=ModelReference("first", digest))
    assert manifest.counterpart == Counterpart("first", 1020, reached)
    assert manifest.metrics == {}
