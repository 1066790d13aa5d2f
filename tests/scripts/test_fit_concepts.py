"""Concepts of a tiny network on drawn flowers: fitted, kept in the bundle, measured."""

import shutil
import sys
from pathlib import Path

import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.explain.feature_visualization.pictures import CONCEPT_PICTURES_FILE
from flowers_core.explain.records.concepts import CONCEPT_RECORD_FILE, load_concept_record
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from scripts import fit_concepts


@pytest.fixture
def bundle(tmp_path: Path, tiny_bundle: Path) -> Path:
    return shutil.copytree(tiny_bundle, tmp_path / "tiny")


@pytest.fixture
def call(bundle: Path, drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch):
    def called(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["fit_concepts", str(bundle), "--data", str(drawn_dataset.root), *arguments])
        fit_concepts.main()

    return called


def test_concepts_are_fitted_kept_and_measured(call, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("--general", "4")
    head, _ = load_bundle(bundle).head()
    found = load_concepts(load_bundle(bundle).path(CONCEPTS_FILE), head)
    assert 1 <= len(found) <= 6 + 4  # of six classes that have photos
    assert found.amounts.shape == (head.shape[1], len(found))
    assert "concepts of" in capsys.readouterr().out
    call("--measure", "--photos", "6")
    record = load_concept_record(load_bundle(bundle).path(CONCEPT_RECORD_FILE))
    assert (record.photos, record.concepts) == (6, len(found))
    assert record.largest_error < 1e-4


def test_pictures_of_other_concepts_leave_the_bundle(call, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("--general", "4")
    BundleWriter.open(bundle).add_bytes(CONCEPT_PICTURES_FILE, b"pictures")
    call("--general", "4")  # the same concepts again
    assert load_bundle(bundle).has(CONCEPT_PICTURES_FILE)
    capsys.readouterr()
    call("--general", "5")
    assert not load_bundle(bundle).has(CONCEPT_PICTURES_FILE)
    assert "--concepts` makes new ones" in capsys.readouterr().out


def test_nothing_is_measured_before_it_is_fitted(call) -> None:
    with pytest.raises(BundleError, match="has no concepts yet"):
        call("--measure")
