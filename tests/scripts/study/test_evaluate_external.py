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
from flowers_core.inference.answerer import Answer, open_answerer
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.prediction import Prediction
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.external import ExternalMetrics
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
    answerer = open_answerer(made, Runtime(made.path("int8.tflite")))
    names = {taxon.name: taxon.label for taxon in load_taxonomy()}

    def answers(folder: str) -> list[tuple[Answer, int | None]]:
        paths = sorted((outside / folder).rglob("*.png"))
        return [(answerer.answer(open_photo(path).pixels), names.get(path.parent.name)) for path in paths]

    shown, others = answers(FLOWERS), answers(NO_FLOWER)
    assert (len(shown), len(others)) == (9, 6)
    record, combined = made.manifest.external, made.manifest.external_looks
    assert record is not None
    assert combined is not None
    _compare(record, [(one.whole, label) for one, label in shown], [one.whole for one, _ in others])
    _compare(combined, [(one.prediction, label) for one, label in shown], [one.prediction for one, _ in others])
    assert 0 < record.flowers.sure < 9
    assert 3 <= round(9 * record.flowers.top1) < 9
    assert combined.flowers.suggested == sum(bool(one.looks and one.looks.box) for one, _ in shown)
    assert record.flowers.suggested == record.no_flower.suggested == 0


def _compare(found: ExternalMetrics, shown: list[tuple[Prediction, int | None]], others: list[Prediction]) -> None:
    right = five = misleading = sure = sure_right = 0
    for prediction, label in shown:
        ranked, best = [candidate.label for candidate in prediction.candidates], prediction.candidates[0]
        right, five = right + (best.label == label), five + (label in ranked[:5])
        misleading += best.label != label and best.probability >= 0.9
        sure, sure_right = sure + prediction.sure, sure_right + (prediction.sure and best.label == label)
    flowers = found.flowers
    assert (flowers.photos, flowers.high_confidence_errors) == (9, misleading)
    assert (9 * flowers.top1, 9 * flowers.top5) == (pytest.approx(right), pytest.approx(five))
    assert (flowers.sure, flowers.sure_correct) == (sure, sure_right)
    assert sum(kind.photos for kind in found.classes.values()) == 9
    assert sum(kind.correct for kind in found.classes.values()) == right
    assert sum(kind.in_top5 for kind in found.classes.values()) == five
    assert (found.no_flower.photos, found.no_flower.sure) == (6, sum(one.sure for one in others))
    assert found.no_flower.high_confidence_errors == sum(one.candidates[0].probability >= 0.9 for one in others)


def test_nothing_is_kept_of_a_dry_run(evaluate, bundle: Path, capsys) -> None:
    evaluate("--dry-run")
    assert load_bundle(bundle).manifest.external is None
    assert capsys.readouterr().out.startswith("flowers, one look: photos 9, top1 ")


def test_what_is_missing_is_told(evaluate, bundle: Path, outside: Path) -> None:
    shutil.rmtree(outside / NO_FLOWER)
    with pytest.raises(PhotoFolderError, match=r"flowers study download_external` brings them"):
        evaluate()
    BundleWriter.open(bundle).update(calibration=None)
    with pytest.raises(BundleError, match="is not calibrated yet"):
        evaluate()
