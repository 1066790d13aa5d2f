"""`scripts.train` as it is called, with a tiny network in the registry and tiny photos of every class."""

import json
import shlex
import sys
from pathlib import Path

import keras
import pytest
from keras import layers

from flowers_core.bundle import Bundle, BundleWriter, Calibration, load_bundle
from flowers_core.training.backbones import BACKBONES, Backbone
from scripts import train
from tests.drawn_flowers import draw_every_class

TUNED = "--backbone tiny --random-weights --fine-tune 2 --epochs 1 --views 2 --probe-views 1"


def _tiny(x: keras.KerasTensor) -> keras.KerasTensor:
    keras.utils.set_random_seed(0)
    x = layers.ReLU()(layers.Conv2D(8, 5, strides=4)(x))
    return layers.ReLU()(layers.Conv2D(24, 3)(x))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_every_class(tmp_path_factory.mktemp("every") / "oxford102")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(BACKBONES, "tiny", Backbone("tiny", 32, 1 / 128, -1.0, _tiny, "none"))
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path


def trained(folder: Path, data: Path, line: str, name: str = "") -> Bundle:
    """What `python -m scripts.train LINE` makes, as models/NAME."""
    before = sys.argv
    sys.argv = ["train", *shlex.split(line), *(("--out", str(folder / "models" / name)) if name else ())]
    sys.argv += ["--data", str(data), "--runs", str(folder / "runs"), "--cache", str(folder / "cache")]
    try:
        train.main()
    finally:
        sys.argv = before
    return load_bundle(folder / "models" / (name or "tiny"))


def history_of(bundle: Bundle) -> dict[str, object]:
    return json.loads(bundle.path("history.json").read_text(encoding="utf-8"))


def test_a_taught_bundle_is_repeated_on_more_photos_with_its_teachers(folder: Path, data: Path) -> None:
    teacher = trained(folder, data, f"{TUNED} --seed 3", "teacher")
    student = trained(folder, data, f"{TUNED} --teacher teacher --teacher-weight 0.5", "student")
    assert student.manifest["training"]["training_images"] == 204
    BundleWriter.open(student.folder).set("calibration", Calibration(1.0, 0.95, 0.9, 0.4))

    with pytest.raises(ValueError, match="'student' learnt from teacher: name by --teacher which bundle"):
        trained(folder, data, "--also-validation student")
    assert not (folder / "models" / "tiny").exists()

    both = trained(folder, data, "--also-validation student --teacher teacher")
    record = both.manifest["training"]
    assert record["training_images"] == 306
    digest = teacher.manifest["files"]["classifier.keras"]["sha256"]
    assert record["teachers"] == [{"name": "teacher", "classifier": digest}]
    assert record["command"] == "python -m scripts.train --also-validation student --teacher teacher"
    # The line that the bundle gives makes it again, and another teacher makes another one.
    again = trained(folder, data, record["command"].split("scripts.train")[1], "again")
    other = trained(folder, data, "--also-validation student --teacher student", "other")
    assert history_of(again)["epochs"] == history_of(both)["epochs"]
    assert history_of(other)["epochs"] != history_of(both)["epochs"]


def test_teachers_and_their_weight_go_together(folder: Path, data: Path) -> None:
    with pytest.raises(ValueError, match="--teacher-weight needs a bundle to learn from"):
        trained(folder, data, f"{TUNED} --teacher-weight 0.5")
    with pytest.raises(ValueError, match="A teacher has no say without --teacher-weight"):
        trained(folder, data, f"{TUNED} --teacher anything")
    assert not (folder / "cache").exists()
