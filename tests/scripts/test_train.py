"""`scripts.train` as it is called, with a tiny network in the registry and tiny photos of every class."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.commands import option_words
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.training import ModelReference
from flowers_core.networks.backbones import BACKBONES, Backbone, build_backbone
from flowers_core.networks.classifier import build_classifier, load_classifier
from flowers_core.reports.training_speed import timings
from flowers_core.storage.events import read_events
from flowers_core.training.recipe import RecipeError
from scripts import train
from tests.fixtures.drawn_flowers import draw_every_class

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


def history_of(bundle: Bundle) -> dict[str, Any]:
    return json.loads(bundle.path("history.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_taught_bundle_is_repeated_on_more_photos_with_its_teachers(folder: Path, data: Path) -> None:
    teacher = trained(folder, data, f"{TUNED} --seed 3", "teacher")
    student = trained(folder, data, f"{TUNED} --teacher teacher --teacher-weight 0.5", "student")
    assert student.training.photos == 204
    BundleWriter.open(student.folder).update(calibration=Calibration(1.0, 0.95, 0.9, 0.4))

    with pytest.raises(RecipeError, match="'student' learnt from teacher: name by --teacher which bundle"):
        trained(folder, data, "--also-validation student")
    assert not (folder / "models" / "tiny").exists()

    both = trained(folder, data, "--also-validation student --teacher teacher")
    record = both.training
    assert record.photos == 306
    assert record.teachers == (ModelReference("teacher", teacher.digest("classifier.keras") or ""),)
    assert record.command.line() == "flowers train --also-validation student --teacher teacher"
    # The line that the bundle gives makes it again, and another teacher makes another one.
    again = trained(folder, data, shlex.join(record.command.words()), "again")
    other = trained(folder, data, "--also-validation student --teacher student", "other")
    assert history_of(again)["epochs"] == history_of(both)["epochs"]
    assert history_of(other)["epochs"] != history_of(both)["epochs"]


@pytest.mark.slow
def test_the_published_recipe_leaves_both_its_phases_as_bundles(folder: Path, data: Path) -> None:
    line = "--backbone tiny --random-weights --recipe published --fine-tune 2 --views 2 --head-epochs 3 --epochs 2"
    events = folder / "events.jsonl"
    unfrozen = trained(folder, data, f"{line} --events {shlex.quote(str(events))}", "tiny_published")
    frozen = load_bundle(folder / "models" / "tiny_published_frozen")

    record = unfrozen.training
    recipe, head = record.recipe, record.head_recipe
    assert (record.frozen, record.named_recipe) == ("tiny_published_frozen", "published")
    assert recipe["optimizer"] == "sgd"
    assert (recipe["batch_size"], recipe["step_size"]) == (64, 2 * 15)
    assert (recipe["label_smoothing"], recipe["average"]) == (0, "none")
    assert head == frozen.training.recipe
    assert (recipe["unfrozen_layers"], head["unfrozen_layers"]) == (2, 0)
    history = history_of(unfrozen)
    assert [len(history["head"]["epochs"]), len(history["epochs"])] == [3, 2]
    found = timings(read_events(events), seconds=1e12, bar=0.0)
    assert found["epochs"] == {"head": 3, "tail": 2}
    assert list(found["phase_seconds"]) == ["head", "tail"]
    assert set(found["seconds"]) == {"photos", "views", "head", "first", "tail", "end"}
    accuracies = [epoch["validation_top1"] for epoch in history["epochs"]]
    assert found["validation"]["tail"] == max(accuracies)
    assert history["head"]["epochs"] == history_of(frozen)["epochs"]
    assert history["probe"]["validation_top1"] == frozen.training.validation_top1

    start = build_classifier(build_backbone("tiny", weights_dir=None), 102)
    before, first, second = (
        [weight for layer in network.layers[:-1] for weight in layer.get_weights()]
        for network in (start, *(load_classifier(bundle.path("classifier.keras")) for bundle in (frozen, unfrozen)))
    )
    for a, b in zip(before, first, strict=True):  # stored in half precision
        np.testing.assert_allclose(a, b, atol=1e-3)
    assert (first[-2] != second[-2]).any()

    options = {name: value for name, value in record.command.options.items() if name != "out"}
    again = trained(folder, data, shlex.join(option_words(options)), "again")
    assert history_of(again)["epochs"] == history["epochs"]
    assert (folder / "models" / "again_frozen").is_dir()


def test_a_phase_that_would_keep_nothing_is_told(folder: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line, words in (
        (f"{TUNED} --frozen somewhere", "it needs --fine-tune and --head-epochs"),
        (f"{TUNED} --head-epochs 3", "fitted to views or trained for epochs"),
    ):
        with pytest.raises(SystemExit, match="2"):
            trained(folder, data, line)
        assert words in capsys.readouterr().err


def test_teachers_and_their_weight_go_together(folder: Path, data: Path) -> None:
    with pytest.raises(RecipeError, match="--teacher-weight needs a bundle to learn from"):
        trained(folder, data, f"{TUNED} --teacher-weight 0.5")
    with pytest.raises(RecipeError, match="A teacher has no say without --teacher-weight"):
        trained(folder, data, f"{TUNED} --teacher anything")
    assert not (folder / "cache").exists()


@pytest.mark.slow
def test_a_half_of_the_test_photos_validates_and_then_everything_is_learnt(folder: Path, data: Path) -> None:
    """Each class has two training photos, one for validation and one for test: half of the classes are held out."""
    half = trained(folder, data, f"{TUNED} --balanced --hold-out-half 1", "half")
    assert (half.training.photos, half.training.splits) == (408 - 51, ("train", "validation", "test"))
    assert half.training.held_out_half == 1
    assert half.training.command.line().endswith("--hold-out-half 1 --out models/half")
    assert dataset_of(half, data).split_ids("validation").size == 51
    BundleWriter.open(half.folder).update(calibration=Calibration(1.0, 0.95, 0.9, 0.4))

    every = trained(folder, data, "--also-validation half --augmentation strong --epochs 2", "every")
    assert (every.training.photos, every.training.splits) == (408, ("train", "validation", "test"))
    assert every.training.held_out_half is None
    assert every.training.recipe["balanced"]
    assert every.training.recipe["augmentation"] != half.training.recipe["augmentation"]
    assert every.training.wise_ft_alpha == half.training.wise_ft_alpha
    assert every.training.recipe["epochs"] == 2
    line = "flowers train --also-validation half --epochs 2 --augmentation strong --out models/every"
    assert every.training.command.line() == line
    with pytest.raises(BundleError, match="'every' cannot be repeated"):
        trained(folder, data, "--also-validation every", "again")
