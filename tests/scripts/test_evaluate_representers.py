"""The verb on the shipped small model, which needs no photos."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flowers_core.explain.records.representers import REPRESENTERS_FILE, load_representer_record
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.storage.paths import default_models_dir
from scripts import evaluate_representers

SHIPPED = load_bundle(default_models_dir() / "efficientnet_lite0_small")


def _copy(folder: Path, *names: str) -> Path:
    manifest = SHIPPED.manifest
    files = {name: manifest.files[name] for name in names}
    writer = BundleWriter(folder, replace(manifest, files=files))
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(SHIPPED.path(name).read_bytes())
    writer.save()
    return folder


def test_the_record_goes_into_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _copy(tmp_path / "small", "gallery.faiss", "gallery.npz", "head.npz", "test_predictions.npz")
    monkeypatch.setattr(sys, "argv", ["evaluate_representers", str(folder), "--photos", "4"])
    evaluate_representers.main()
    record = load_representer_record(load_bundle(folder).path(REPRESENTERS_FILE))
    assert (record.training_photos, record.test_photos, record.sampled) == (1020, 6149, 4)
    assert record.agreement == 1
    assert record.largest_error < 1e-9
    assert record.datamodelling.value > 0.9
    assert "times that without random photos" in capsys.readouterr().out


def test_a_bundle_without_a_gallery_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _copy(tmp_path / "small", "head.npz")
    monkeypatch.setattr(sys, "argv", ["evaluate_representers", str(folder)])
    with pytest.raises(BundleError, match="has no gallery yet"):
        evaluate_representers.main()
