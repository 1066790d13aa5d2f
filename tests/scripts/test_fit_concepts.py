"""Concepts of a tiny network on drawn flowers: fitted, kept in the bundle, measured."""

import shutil
import sys
from pathlib import Path

import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.explain.records.concepts import CONCEPT_RECORD_FILE, load_concept_record
from flowers_core.inference.bundle import BundleError, load_bundle
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


def test_nothing_is_measured_before_it_is_fitted(call) -> None:
    with pytest.raises(BundleError, match="has no concepts yet"):
        call("--measure")
