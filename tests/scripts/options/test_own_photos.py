"""`flowers train --photos` from a folder of drawn flowers to a bundle that names them, with a tiny network."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.data.dataset import DatasetError
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.open_dataset import open_dataset
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.inference.bundle import load_bundle, predictions_file
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


TINY = Backbone("tiny", 32, 1 / 128, -1.0, _tiny, "none")


def call(*words: str) -> None:
    before = sys.argv
    sys.argv = ["train", *words]
    try:
        train.main()
    finally:
        sys.argv = before


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setitem(BACKBONES, "tiny", TINY)
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path / "models"))
    folders = ("--runs", str(tmp_path / "runs"), "--cache", str(tmp_path / "cache"))
    return ("--backbone", "tiny", "--random-weights", *folders)


@pytest.mark.slow
def test_from_a_folder_to_a_whole_bundle(
    tmp_path: Path, tiny: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever a format loses, it is told and the bundle made.
    monkeypatch.setattr("flowers_core.quantization.acceptance.ALLOWED_POINTS", -1000)
    photos = draw(tmp_path / "garden")
    (photos / "poppy" / "copy.png").write_bytes((photos / "poppy" / "3.png").read_bytes())
    (photos / "flax" / "torn.jpg").write_bytes(b"\xff\xd8\xff no photo")
    call("--photos", str(photos), "--out", str(tmp_path / "models" / "garden"), *tiny)
    said = capsys.readouterr().out
    assert "Left out, 1 of 32 photos, for they cannot be read" in said
    assert "photos are copies of one another, or nearly" in said
    assert "int8 loses more than -1000 points, and is kept." in said
    assert "31 photos of 3 classes; splits as drawn: 19 train, 6 validation, 6 test." in said

    bundle = load_bundle(tmp_path / "models" / "garden")
    assert bundle.class_names == ("Black-eyed Susan", "flax", "poppy")
    assert [taxon.latin for taxon in bundle.taxonomy] == ["Rudbeckia (genus)", "Linum (genus)", "Papaver (genus)"]
    assert bundle.precisions == ("float16", "int8")
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
    assert 3 <= len(load_concepts(bundle.path(CONCEPTS_FILE), bundle.head()[0])) <= 3 + 10
    assert gallery.labels.tolist() == again.labels.tolist()
    shown = [again.path(int(photo_id)) for photo_id in again.split_ids("train")]
    named = [found.prediction.top(1)[0].label for found in identify(bundle, shown) if found.prediction]
    assert np.mean(named == again.labels_of(again.split_ids("train"))) > 0.8


def killed_at(line: str, words: list[str]) -> str:
    """Train in a process of its own that kills itself (-9) at the first line that begins so; return what it had said.

    "" lets it end.
    """
    program = f"""
import builtins, os, signal, sys
from tests.scripts.options.test_own_photos import BACKBONES, TINY, call

def say(*words, before=print, **options):
    before(*words, **options | {{"flush": True}})
    if {line!r} and str(words[0]).startswith({line!r}):
        os.kill(os.getpid(), signal.SIGKILL)

builtins.print = say
BACKBONES["tiny"] = TINY
call(*sys.argv[1:])
"""
    run = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert run.returncode == (-signal.SIGKILL if line else 0), run.stderr
    return run.stdout


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bundle(
    tmp_path: Path, tiny: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    photos = str(draw(tmp_path / "garden"))
    words = ["--photos", photos, "--out", str(tmp_path / "models" / "garden"), *tiny]
    killed_at("epoch 3/12", words)  # while it learns
    said = killed_at("float16", words)  # while the rest is made
    assert "epoch 3/12" not in said  # taken up where it was, and how long it takes yet is told
    assert "epoch 4/12" in said
    assert "min left" in said
    assert "is whole" in killed_at("", words)
    folders = ("--runs", str(tmp_path / "afresh"), "--cache", str(tmp_path / "afresh"))
    call("--photos", photos, "--out", str(tmp_path / "whole" / "garden"), *tiny[:3], *folders)
    capsys.readouterr()
    made, whole = (load_bundle(tmp_path / folder / "garden") for folder in ("models", "whole"))
    for ours, other in zip(made.head(), whole.head(), strict=True):
        np.testing.assert_array_equal(ours, other)
    histories = [json.loads((bundle.folder / "history.json").read_text()) for bundle in (made, whole)]
    assert histories[0] == histories[1]
    assert set(made.manifest.files) == set(whole.manifest.files)
    assert made.metrics == whole.metrics
    answers = [load_predictions(bundle.path(predictions_file("test")), "int8") for bundle in (made, whole)]
    np.testing.assert_array_equal(answers[0].logits, answers[1].logits)


def _nothing(photos: Path) -> None:
    photos.mkdir()


def _one_class(photos: Path) -> None:
    draw(photos)
    _table(photos.with_suffix(".csv"), [f"{photos}/flax/{number}.png,flax,train" for number in range(6)])


def _a_path(photos: Path) -> None:
    draw(photos)
    _table(photos.with_suffix(".csv"), [f"{photos}/flax/0.png,{name},train" for name in ("a/b", "cd")])


def _ten_thousand(photos: Path) -> None:
    draw(photos)
    _table(photos.with_suffix(".csv"), [f"{photos}/flax/0.png,flower {number},train" for number in range(10_000)])


def _the_same_twice(photos: Path) -> None:
    draw(photos)
    shutil.rmtree(photos / "flax")
    shutil.copytree(photos / "poppy", photos / "flax")


def _all_broken(photos: Path) -> None:
    for path in draw(photos).glob("*/*.png"):
        path.write_bytes(b"\x89PNG no photo")


def _case(photos: Path) -> None:
    draw(photos)
    shutil.copytree(photos / "poppy", photos / "Poppy")
    (photos / "taxonomy.csv").unlink()


def _no_column(photos: Path) -> None:
    photos.with_suffix(".csv").write_text("path,split\na.png,train\n")


def _too_few(photos: Path) -> None:
    draw(photos, count=4)


def _table(path: Path, rows: list[str]) -> None:
    path.write_text("\n".join(["path,label,split", *rows]) + "\n")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (_nothing, "holds no photos. Put the photos of each class into a folder called like it"),
        (_one_class, "holds only the class 'flax'. Put the photos of each class into a folder"),
        (_a_path, "a class is called 'a/b'. Call it as people call the flower, without slashes"),
        (_ten_thousand, "holds 10000 classes; 1000 at most can be told apart here. Is there a folder, or a label, for"),
        (_the_same_twice, "Fewer have 'flax' (0 of 10), 'poppy' (0 of 10). Add photos, or take these classes out"),
        (_all_broken, "5 photos of a class are needed at least, so that some can be held out, once those are left out"),
        (_case, "the classes 'Poppy' and 'poppy' differ only by case. Give them one name"),
        (_no_column, "lacks the column label; it needs path, label, split"),
        (_too_few, "5 photos of a class are needed at least, so that some can be held out. Fewer have"),
    ],
)
def test_photos_that_teach_nothing_leave_nothing(
    tmp_path: Path, tiny: tuple[str, ...], made: Callable[[Path], None], told: str
) -> None:
    photos = tmp_path / "garden"
    made(photos)
    source = photos.with_suffix(".csv") if photos.with_suffix(".csv").is_file() else photos
    with pytest.raises(DatasetError, match=re.escape(told)):
        call("--photos", str(source), "--out", str(tmp_path / "models" / "garden"), *tiny)
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "cache").exists()


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
