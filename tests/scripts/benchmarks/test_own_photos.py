"""Each way of training, on drawn flowers with a small input: the order of the lines, and what is kept."""

import sys
from pathlib import Path

import pytest

from flowers_core.data.dataset import DatasetError
from flowers_core.data.open_dataset import open_dataset
from flowers_core.reports.own_photos import load_own_photos
from scripts.benchmarks import own_photos
from scripts.benchmarks.own_photos import some_classes
from tests.scripts.options.test_own_photos import draw


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["own_photos", *words])
    own_photos.main()


def test_some_classes_alone(tmp_path: Path) -> None:
    flowers = open_dataset(draw(tmp_path / "garden"))
    fewer = some_classes(flowers, ["poppy", "flax"])
    assert fewer.names == ("flax", "poppy")
    assert len(fewer.split_ids("train")) == 12
    assert some_classes(flowers, []) is flowers
    with pytest.raises(DatasetError, match="has no class 'rose'"):
        some_classes(flowers, ["rose"])


@pytest.mark.slow
@pytest.mark.weights
def test_each_way_is_kept_and_keras_needs_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--data", str(draw(tmp_path / "garden")), "--name", "drawn", "--size", "64", "--models", str(tmp_path))
    with pytest.raises(own_photos.OwnPhotosError, match="run `train` on 'drawn' first"):
        call(monkeypatch, "keras", *words)
    for method in ("train", "probe", "keras"):
        call(monkeypatch, method, *words)
    kept = load_own_photos(tmp_path)["drawn"]
    assert set(kept) == {"train", "probe", "keras"}
    assert all(found.classes == 3 and found.training_photos == 18 and len(found.right) == 6 for found in kept.values())
    assert kept["train"].hits.mean() >= 0.5  # chance is a third
    assert kept["keras"].cpu_seconds < 2 * kept["train"].cpu_seconds + 20  # stops in time, but for its start
    assert "| drawn | 3 | 18 | 6 | Keras’ guide |" in capsys.readouterr().out
