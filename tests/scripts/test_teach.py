"""`flowers teach` as a person calls it: a shipped model learns drawn flowers, names others of them, and forgets."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.identify import identify
from flowers_core.retrieval.teaching import TeachingError
from flowers_core.storage.paths import default_models_dir
from scripts import teach
from tests.fixtures.drawn_flowers import draw_flower

SHIPPED = "efficientnet_lite0_small"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    shutil.copytree(default_models_dir() / SHIPPED, tmp_path / "models" / SHIPPED)
    return tmp_path / "models"


@pytest.fixture
def call(models: Path, monkeypatch: pytest.MonkeyPatch):
    def call(bundle: str, *words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["flowers teach", str(models / bundle), *map(str, words)])
        teach.main()

    return call


def drawn(folder: Path, kind: int, count: int, first: int = 0) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        draw_flower(kind, np.random.default_rng(number)).save(folder / f"{kind}_{number}.png")
    return [folder / f"{kind}_{number}.png" for number in range(first, first + count)]


@pytest.mark.slow
def test_a_flower_is_taught_named_and_taken_back(call, models: Path, tmp_path: Path, capsys) -> None:
    drawn(tmp_path / "new", 1, 4)
    others = drawn(tmp_path / "others", 1, 3, first=50)
    before = sorted(path.read_bytes() for path in (models / SHIPPED).iterdir())
    call(SHIPPED, "paper flower", tmp_path / "new", "--dry-run")
    said = capsys.readouterr().out
    assert "4 photos of 'paper flower'; left out one by one, 100% of them are named rightly." in said
    assert "Of 1020 validation photos: 0 gained, 0 lost." in said
    assert [path.name for path in models.iterdir()] == [SHIPPED]

    call(SHIPPED, "paper flower", tmp_path / "new")
    taught = load_bundle(models / f"{SHIPPED}_taught")
    assert taught.class_names[-1] == "paper flower"
    assert [found.prediction.candidates[0].label for found in identify(taught, others)] == [103] * 3
    shipped = load_bundle(models / SHIPPED)
    old, new = (load_predictions(each.path("validation_predictions.npz"), "int8") for each in (shipped, taught))
    assert new.classes == 103
    np.testing.assert_allclose(new.logits[:, :102], old.logits, atol=0.05)
    assert sorted(path.read_bytes() for path in (models / SHIPPED).iterdir()) == before

    call(f"{SHIPPED}_taught", "rose", *drawn(tmp_path / "mistaken", 4, 1))
    assert len(load_bundle(models / f"{SHIPPED}_taught").manifest.taught) == 2
    call(f"{SHIPPED}_taught", "--undo")
    call(f"{SHIPPED}_taught", "--undo")
    assert load_bundle(models / f"{SHIPPED}_taught").class_names == shipped.class_names
    with pytest.raises(TeachingError, match="nothing to undo"):
        call(f"{SHIPPED}_taught", "--undo")


@pytest.mark.parametrize("words", [(), ("rose",), ("rose", "x.png", "--undo")])
def test_what_is_missing_is_a_usage_error(call, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        call(SHIPPED, *words)
