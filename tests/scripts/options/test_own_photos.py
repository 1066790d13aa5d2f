"""`flowers train --photos` from a folder of drawn flowers to a bundle that names them, with a tiny network."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.data.dataset import DatasetError
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.open_dataset import open_dataset
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.identify import identify
from flowers_core.networks.backbones import BACKBONES, Backbone
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from scripts import train
from tests.fixtures.drawn_flowers import draw_flower


def _tiny(x: keras.KerasTensor) -> keras.KerasTensor:
    keras.utils.set_random_seed(0)
    x = layers.ReLU()(layers.Conv2D(8, 5, strides=4)(x))
    return layers.ReLU()(layers.Conv2D(24, 3)(x))


def draw(folder: Path, *, count: int = 10) -> Path:
    """Three kinds of drawn flowers, a folder each, and what their families are."""
    rng = np.random.default_rng(0)
    for look, name in enumerate(("poppy", "Black-eyed Susan", "flax")):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            draw_flower(look, rng).save(folder / name / f"{number}.png")
    (folder / "taxonomy.csv").write_text(
        "name,family,genus\npoppy,Papaveraceae,Papaver\nBlack-eyed Susan,Asteraceae,Rudbeckia\nflax,Linaceae,Linum\n"
    )
    return folder


def call(*words: str) -> None:
    before = sys.argv
    sys.argv = ["train", *words]
    try:
        train.main()
    finally:
        sys.argv = before


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setitem(BACKBONES, "tiny", Backbone("tiny", 32, 1 / 128, -1.0, _tiny, "none"))
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path / "models"))
    folders = ("--runs", str(tmp_path / "runs"), "--cache", str(tmp_path / "cache"))
    return ("--backbone", "tiny", "--random-weights", *folders)


@pytest.mark.slow
def test_from_a_folder_to_a_whole_bundle(
    tmp_path: Path, tiny: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    photos = draw(tmp_path / "garden")
    (photos / "poppy" / "copy.png").write_bytes((photos / "poppy" / "3.png").read_bytes())
    (photos / "flax" / "torn.jpg").write_bytes(b"\xff\xd8\xff no photo")
    call("--photos", str(photos), "--out", str(tmp_path / "models" / "garden"), *tiny)
    said = capsys.readouterr().out
    assert "Left out, 1 of 32 photos, for they cannot be read" in said
    assert "photos are copies of one another, or nearly" in said
    assert "31 photos of 3 classes; splits as drawn: 19 train, 6 validation, 6 test." in said

    bundle = load_bundle(tmp_path / "models" / "garden")
    assert bundle.class_names == ("Black-eyed Susan", "flax", "poppy")
    assert [taxon.latin for taxon in bundle.taxonomy] == ["Rudbeckia (genus)", "Linum (genus)", "Papaver (genus)"]
    assert bundle.precisions == ("float32", "float16", "int8")
    assert set(bundle.metrics["int8"]) == {"validation", "test"}
    assert bundle.metrics["int8"]["test"].photos == 6
    assert bundle.training.command.line() == (
        "flowers train --backbone tiny --photos garden --random-weights --out models/garden"
    )

    # The table that the run leaves is the same data set for the other verbs.
    again = open_dataset(tmp_path / "runs" / "garden" / "photos.csv")
    assert isinstance(again, FolderDataset)
    assert bundle.manifest.data is not None
    assert again.fingerprint() == bundle.manifest.data.fingerprint
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    assert len(gallery) == 31
    assert gallery.labels.tolist() == again.labels.tolist()
    shown = [again.path(int(photo_id)) for photo_id in again.split_ids("train")]
    named = [found.prediction.top(1)[0].label for found in identify(bundle, shown) if found.prediction]
    assert np.mean(named == again.labels_of(again.split_ids("train"))) > 0.8


def test_photos_that_teach_nothing_leave_nothing(tmp_path: Path, tiny: tuple[str, ...]) -> None:
    photos = draw(tmp_path / "garden", count=4)
    with pytest.raises(DatasetError, match="5 photos of a class are needed at least"):
        call("--photos", str(photos), "--out", str(tmp_path / "models" / "garden"), *tiny)
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--photos needs --out"),
        (("--out", "models/My Garden"), "'My Garden' cannot name a model"),
        (
            ("--out", "models/garden", "--also-validation", "tiny"),
            "--photos goes without --also-validation and --leave-out",
        ),
    ],
)
def test_options_that_do_not_go_with_it(
    tmp_path: Path, tiny: tuple[str, ...], capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        call("--photos", str(tmp_path), *words, *tiny)
    assert told in capsys.readouterr().err
