"""A model on photos from outside its dataset: drawn ones here, and a tiny network's answers to them."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.download.external import FLOWERS, NO_FLOWER
from flowers_core.data.model_input import model_input
from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.data.photos import open_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.multi_crop import suggest_crop
from flowers_core.inference.prediction import Prediction, predict
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.external import ExternalWithoutFlower
from flowers_core.inference.runtime import Runtime
from scripts.study import evaluate_external
from tests.fixtures.drawn_flowers import draw_flower

KINDS = ("rose", "sunflower", "foxglove")


@pytest.fixture
def bundle(tmp_path: Path, tiny_bundle: Path) -> Path:
    folder = shutil.copytree(tiny_bundle, tmp_path / "tiny")
    # So cold that answers differ in how sure they are, and so strict that not all of them are.
    BundleWriter.open(folder).update(calibration=Calibration(0.002, 0.95, 0.7, 0.9))
    return folder


@pytest.fixture
def outside(tmp_path: Path, bundle: Path) -> Path:
    """Drawn flowers, the third of each class called what the network calls it; and pictures that count as no flower."""
    made, root, rng = load_bundle(bundle), tmp_path / "outside", np.random.default_rng(4)
    runtime = Runtime(made.path("int8.tflite"))
    for number in range(9):
        path = tmp_path / f"drawn-{number}.png"
        draw_flower(number % 6, rng).save(path)
        kind = KINDS[number % 3]
        if number % 3 == 2:
            logits = runtime.logits(model_input(open_photo(path).pixels, made.crop_rule).pixels[None])[0]
            kind = load_taxonomy()[int(logits.argmax()) + 1].name
        folder = root / FLOWERS / kind
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / path.name)
    (root / NO_FLOWER).mkdir()
    for number in range(6):
        pixels = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8) if number % 2 else np.full((50, 50, 3), 40 * number)
        Image.fromarray(pixels.astype(np.uint8)).save(root / NO_FLOWER / f"{number}.png")
    (root / NO_FLOWER / "read me.txt").write_text("no photo")
    return root


@pytest.fixture
def evaluate(bundle: Path, outside: Path, monkeypatch: pytest.MonkeyPatch):
    def call(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["evaluate_external", str(bundle), "--external", str(outside), *arguments])
        evaluate_external.main()

    return call


def test_each_photo_is_answered_as_on_the_page(evaluate, bundle: Path, outside: Path) -> None:
    evaluate()
    made = load_bundle(bundle)
    assert made.calibration is not None
    runtime = Runtime(made.path("int8.tflite"))

    def answer(path: Path) -> tuple[Prediction, int | None]:
        pixels = open_photo(path).pixels
        logits = runtime.logits(model_input(pixels, made.crop_rule).pixels[None])[0]
        prediction = predict(logits, made.calibration, load_taxonomy())
        closer = suggest_crop(pixels, runtime, made.crop_rule, made.calibration.temperature)
        return prediction, closer.label if closer and not prediction.sure else None

    record = made.manifest.external
    assert record is not None
    names = {taxon.name: taxon.label for taxon in load_taxonomy()}
    right = five = misleading = sure = sure_right = suggested = suggested_right = 0
    for path in (outside / FLOWERS).glob("*/*.png"):
        (prediction, offered), label = answer(path), names[path.parent.name]
        ranked, best = [candidate.label for candidate in prediction.candidates], prediction.candidates[0]
        right, five = right + (best.label == label), five + (label in ranked[:5])
        misleading += best.label != label and best.probability >= 0.9
        sure, sure_right = sure + prediction.sure, sure_right + (prediction.sure and best.label == label)
        suggested, suggested_right = suggested + (offered is not None), suggested_right + (offered == label)
    flowers = record.flowers
    assert flowers.photos == 9
    assert 9 * flowers.top1 == pytest.approx(right)
    assert 9 * flowers.top5 == pytest.approx(five)
    assert 3 <= right < 9
    assert flowers.high_confidence_errors == misleading
    assert (flowers.sure, flowers.sure_correct) == (sure, sure_right)
    assert (flowers.suggested, flowers.suggested_correct) == (suggested, suggested_right)
    assert 0 < sure < 9
    assert sum(kind.photos for kind in record.classes.values()) == 9
    assert sum(kind.correct for kind in record.classes.values()) == right
    assert sum(kind.in_top5 for kind in record.classes.values()) == five
    others = [answer(path) for path in (outside / NO_FLOWER).glob("*.png")]
    assert record.no_flower == ExternalWithoutFlower(
        photos=6,
        high_confidence_errors=sum(prediction.candidates[0].probability >= 0.9 for prediction, _ in others),
        sure=sum(prediction.sure for prediction, _ in others),
        suggested=sum(offered is not None for _, offered in others),
    )


def test_nothing_is_kept_of_a_dry_run(evaluate, bundle: Path, capsys) -> None:
    evaluate("--dry-run")
    assert load_bundle(bundle).manifest.external is None
    assert capsys.readouterr().out.startswith("flowers: photos 9, top1 ")


def test_what_is_missing_is_told(evaluate, bundle: Path, outside: Path) -> None:
    shutil.rmtree(outside / NO_FLOWER)
    with pytest.raises(PhotoFolderError, match=r"flowers study download_external` brings them"):
        evaluate()
    BundleWriter.open(bundle).update(calibration=None)
    with pytest.raises(BundleError, match="is not calibrated yet"):
        evaluate()
