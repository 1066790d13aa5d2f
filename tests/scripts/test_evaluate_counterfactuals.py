"""Counterfactuals of the shipped model's mistakes on the real photos, kept in a copy of the bundle."""

import shutil
import sys
from pathlib import Path

import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.explain.records.counterfactuals import COUNTERFACTUALS_FILE, load_counterfactuals
from flowers_core.inference.bundle import load_bundle
from scripts import evaluate_counterfactuals
from tests.fixtures.shipped import TESTED


@pytest.mark.dataset
def test_mistakes_are_tried_and_the_bundle_keeps_the_record(
    flowers: OxfordFlowers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(TESTED.folder, tmp_path / TESTED.name)
    arguments = [str(folder), "--data", str(flowers.root), "--photos", "3"]
    monkeypatch.setattr(sys, "argv", ["evaluate_counterfactuals", *arguments])
    evaluate_counterfactuals.main()
    record = load_counterfactuals(load_bundle(folder).path(COUNTERFACTUALS_FILE))
    assert (record.photos, record.places) == (3, 64)
    assert 0 <= record.changed_at_random.value <= 1
    assert record.changed_on_pixels.value >= record.turned_on_pixels.value
