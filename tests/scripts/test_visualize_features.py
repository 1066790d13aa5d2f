"""Pictures of a tiny network's classes and concepts on drawn flowers: made, gone on with, measured."""

import shutil
import sys
from pathlib import Path

import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.explain.feature_visualization.pictures import CLASS_PICTURES_FILE, load_pictures
from flowers_core.explain.records.class_pictures import CLASS_PICTURE_RECORD_FILE, load_class_picture_record
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.networks import backbones
from scripts import visualize_features
from tests.fixtures.tiny_classifier import tiny_backbone


@pytest.fixture
def bundle(tmp_path: Path, tiny_bundle: Path) -> Path:
    return shutil.copytree(tiny_bundle, tmp_path / "tiny")


@pytest.fixture
def call(bundle: Path, drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch):
    def built(name: str, *, weights_dir: None, size: int):
        assert (name, weights_dir) == (load_bundle(bundle).manifest.backbone, None)
        return tiny_backbone(size=size)

    monkeypatch.setattr(backbones, "build_backbone", built)

    def called(*arguments: str) -> None:
        words = ["visualize_features", str(bundle), "--data", str(drawn_dataset.root), *arguments]
        monkeypatch.setattr(sys, "argv", words)
        visualize_features.main()

    return called


@pytest.mark.slow
def test_pictures_are_made_kept_and_measured(call, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("--steps", "1")
    classes = len(load_bundle(bundle).class_names)
    assert f"{classes} pictures" in capsys.readouterr().out
    made = load_pictures(load_bundle(bundle).path(CLASS_PICTURES_FILE))
    assert sorted(made.pictures) == list(range(classes))
    assert len(set(made.pictures.values())) == classes
    call("--measure")
    record = load_class_picture_record(load_bundle(bundle).path(CLASS_PICTURE_RECORD_FILE))
    assert record.pictures == classes


def test_what_is_missing_is_said(call) -> None:
    with pytest.raises(BundleError, match="has no pictures of its classes yet"):
        call("--measure")
    with pytest.raises(BundleError, match="has no concepts yet"):
        call("--concepts")
