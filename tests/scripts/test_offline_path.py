"""The offline path on drawn flowers and a tiny network: quantize → evaluate → build_gallery, as a person runs it."""

import csv
import importlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.audit.near_duplicates import NearDuplicate
from flowers_core.data.audit.record import AUDIT_FILE, AuditRecord
from flowers_core.data.corruptions import corrupted
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.metrics import NearDuplicateRule
from flowers_core.inference.runtime import Runtime
from flowers_core.networks.classifier import head_of, save_half
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.knn import knn_predict
from flowers_core.retrieval.similarity import SIMILARITY_FILE, load_class_similarity
from flowers_core.retrieval.user_photos import ExtendedGallery, load_user_photos
from scripts.options.command import run
from tests.fixtures.drawn_flowers import LABELS, draw_flower
from tests.fixtures.manifests import training
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier


def call(script: str, *arguments: str) -> None:
    """Run a script's main in this process, where TensorFlow is imported already."""
    before = sys.argv
    sys.argv = [script, *arguments]
    try:
        importlib.import_module(f"scripts.{script}").main()
    finally:
        sys.argv = before


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[object, str]]:
    """Run a script to its end without a data set unless one is named: exit code, and what stands on standard error."""
    monkeypatch.setenv("FLOWERS_DATA_DIR", "/nonexistent")

    def end(script: str, *arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        # What is no sentence for a person would come out as itself, not as an exit.
        with pytest.raises(SystemExit) as left:
            run(importlib.import_module(f"scripts.{script}").main)
        code, said = left.value.code, capsys.readouterr().err
        return (1, code + said) if isinstance(code, str) else (code, said)

    return end


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, drawn_dataset: OxfordFlowers) -> Bundle:
    """A bundle that went through every step after training."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    classifier = tiny_classifier(classes=102)
    writer = BundleWriter.create(
        folder, name="tiny", backbone="tiny", crop_rule=CropRule(SIZE), classes=list(drawn_dataset.names)
    )
    writer.update(training=training(photos=len(drawn_dataset.split_ids("train"))))
    writer.add_file("classifier.keras", lambda path: save_half(classifier, path))
    W, b = head_of(classifier)
    writer.add_npz("head.npz", W=W, b=b)
    data = ("--data", str(drawn_dataset.root))
    call("quantize", str(folder), "--calibration-photos", "24", *data)
    call("evaluate", str(folder), *data)
    call("build_gallery", str(folder), *data)
    return load_bundle(folder)


@pytest.mark.slow
def test_the_models_are_there_with_their_sizes(made: Bundle) -> None:
    assert made.precisions == ("float32", "float16", "int8")
    for precision, size in made.manifest.model_bytes.items():
        assert made.path(f"{precision}.tflite").stat().st_size == size


def test_calibration_photos_are_training_photos_spread_over_the_classes(
    made: Bundle, drawn_dataset: OxfordFlowers
) -> None:
    assert made.manifest.quantization is not None
    ids = made.manifest.quantization.representative_photos
    assert len(set(ids)) == 24
    assert {drawn_dataset.split_of(photo_id) for photo_id in ids} == {"train"}


@pytest.mark.slow
def test_a_model_that_loses_too_much_is_kept_out(
    made: Bundle, drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random weights lose little; a bar below nothing lets no precision pass."""
    monkeypatch.setattr("flowers_core.quantization.acceptance.ALLOWED_POINTS", -1000)
    before = (made.folder / "bundle.json").read_bytes()
    arguments = (str(made.folder), "--precisions", "int8", "--calibration-photos", "24")
    with pytest.raises(SystemExit) as left:
        call("quantize", *arguments, "--data", str(drawn_dataset.root))
    assert "int8 would lose more than" in str(left.value.code)
    printed = capsys.readouterr().out
    assert "CONV_2D" in printed
    assert "FULLY_CONNECTED" in printed
    assert (made.folder / "bundle.json").read_bytes() == before


@pytest.mark.slow
def test_weights_fitted_to_being_rounded_change_the_int8_model_alone(
    made: Bundle, drawn_dataset: OxfordFlowers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tiny"
    shutil.copytree(made.folder, folder)
    before = made.manifest.files
    aware = ("--qat-steps", "8", "--qat-rate", "3e-4", "--cache", str(tmp_path / "cache"))
    call(
        "quantize", str(folder), "--calibration-photos", "24", "--allow-loss", *aware, "--data", str(drawn_dataset.root)
    )
    after = load_bundle(folder).manifest
    assert {name for name, entry in after.files.items() if entry != before[name]} == {"int8.tflite"}
    assert after.quantization is not None
    record = after.quantization.qat
    assert (record["steps"], record["last_layers"], record["split"], record["head"]) == (8, None, "train", "frozen")
    assert len(record["step_losses"]) == 8
    printed = capsys.readouterr().out
    assert "steps: 8 of 8, loss" in printed
    assert "Quantization-aware training" in printed


@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_records_are_what_the_models_answer(made: Bundle, drawn_dataset: OxfordFlowers, split: str) -> None:
    ids = drawn_dataset.split_ids(split)
    photos = np.stack(
        [model_input(open_photo(drawn_dataset.path(photo_id)).pixels, made.crop_rule).pixels for photo_id in ids]
    )
    for precision in made.precisions:
        stored = load_predictions(made.path(f"{split}_predictions.npz"), precision)
        np.testing.assert_array_equal(stored.ids, ids)
        np.testing.assert_array_equal(stored.labels, drawn_dataset.labels[ids - 1])
        logits = Runtime(made.path(f"{precision}.tflite")).logits(photos)
        np.testing.assert_allclose(stored.logits, logits, rtol=1e-3, atol=1e-2)
        figures = made.metrics[precision][split]
        assert figures.photos == len(ids)
        assert figures.top1 == pytest.approx((logits.argmax(axis=1) + 1 == stored.labels).mean())
    assert made.metrics["float32"][split].agreement == 1.0


def test_robustness_is_counted_photo_by_photo(made: Bundle, drawn_dataset: OxfordFlowers) -> None:
    call("evaluate", str(made.folder), "--data", str(drawn_dataset.root), "--corruptions", "validation")
    figures = load_bundle(made.folder).manifest.corruptions["int8"]["validation"]
    runtime = Runtime(made.path("int8.tflite"))
    ids = drawn_dataset.split_ids("validation")
    for kind in ("greyscale", "phone noise"):
        spoilt = [corrupted(open_photo(drawn_dataset.path(i)).pixels, kind, int(i)) for i in ids]
        logits = runtime.logits(np.stack([model_input(pixels, made.crop_rule).pixels for pixels in spoilt]))
        right = logits.argmax(axis=1) + 1 == drawn_dataset.labels[ids - 1]
        assert figures.top1[kind] == pytest.approx(right.mean())
    assert figures.mean == pytest.approx(sum(figures.top1.values()) / len(figures.top1))
    assert figures.top1[figures.worst] == min(figures.top1.values())
    assert figures.high_confidence_errors is not None
    assert 0 <= figures.high_confidence_errors <= 1 - figures.mean


def test_photos_that_were_learnt_from_tell_nothing_of_robustness(
    made: Bundle, drawn_dataset: OxfordFlowers, tmp_path: Path
) -> None:
    copy = tmp_path / "both"
    shutil.copytree(made.folder, copy)
    writer = BundleWriter.open(copy)
    writer.update(training=training(splits=("train", "validation")))
    with pytest.raises(BundleError, match="has learnt from the validation photos"):
        call("evaluate", str(copy), "--data", str(drawn_dataset.root), "--corruptions", "validation")


def test_the_gallery_finds_each_photo_itself(made: Bundle, drawn_dataset: OxfordFlowers) -> None:
    gallery = Gallery.load(made.path(INDEX_FILE), made.path(RECORDS_FILE))
    runtime = Runtime(made.path("int8.tflite"))
    assert len(gallery) == len(drawn_dataset)
    for photo_id in (1, 20, 72):
        photo = model_input(open_photo(drawn_dataset.path(photo_id)).pixels, made.crop_rule).pixels
        (nearest,) = gallery.search(runtime.forward(photo[None]).embedding[0], 1)
        assert nearest.photo_id == photo_id
        assert nearest.similarity == pytest.approx(1, abs=1e-3)
        assert nearest.label == drawn_dataset.label_of(photo_id)


def test_what_makes_a_similarity_readable_comes_with_the_gallery(made: Bundle, drawn_dataset: OxfordFlowers) -> None:
    gallery = Gallery.load(made.path(INDEX_FILE), made.path(RECORDS_FILE))
    assert gallery.ids_of(open_photo(drawn_dataset.path(20)).sha256) == (20,)
    likeness = load_class_similarity(made.path(SIMILARITY_FILE))
    assert likeness.labels.tolist() == sorted(LABELS)
    assert set(likeness.pairs.tolist()) == {8 * 7 // 2}  # validation and test photos of a class
    rule = made.manifest.knn
    assert rule is not None
    assert (rule.splits, rule.photos) == (("train",), 18)
    validation = drawn_dataset.split_ids("validation")
    right = 0
    for photo_id in validation:
        near = gallery.search(gallery.vector(int(photo_id)), rule.k, splits=rule.splits)
        right += knn_predict(near, rule, 102).label == drawn_dataset.label_of(int(photo_id))
    assert rule.top1 == pytest.approx(right / len(validation))


def test_photos_of_ones_own_get_the_same_report(
    made: Bundle, drawn_dataset: OxfordFlowers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = drawn_dataset.split_ids("test")
    for photo_id in ids:
        folder = tmp_path / "mine" / drawn_dataset.names[drawn_dataset.label_of(int(photo_id)) - 1]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(drawn_dataset.path(int(photo_id)), folder)
    (folder / "broken.jpg").write_bytes(b"no photo")
    before = (made.folder / "bundle.json").read_bytes()
    call("evaluate", str(made.folder), "--photos", str(tmp_path / "mine"), "--out", str(tmp_path / "out"))
    assert (made.folder / "bundle.json").read_bytes() == before
    assert "broken.jpg" in capsys.readouterr().out
    figures = json.loads((tmp_path / "out" / "report.json").read_text())
    for precision in made.precisions:
        official = made.metrics[precision]["test"]
        for name in ("photos", "top1", "balanced_accuracy", "top5", "ece", "nll"):
            assert figures["precisions"][precision][name] == pytest.approx(getattr(official, name))
    with (tmp_path / "out" / "photos.csv").open(newline="", encoding="utf-8-sig") as handle:
        paths = {int(row["id"]): row for row in csv.DictReader(handle)}
    answers = load_predictions(tmp_path / "out" / "predictions.npz", "int8")
    official_answers = load_predictions(made.path("test_predictions.npz"), "int8")
    for number, label, called in zip(answers.ids, answers.labels, answers.predicted, strict=True):
        photo_id = int(Path(paths[int(number)]["path"]).stem.removeprefix("image_"))
        at = official_answers.ids.tolist().index(photo_id)
        assert (label, called) == (official_answers.labels[at], official_answers.predicted[at])
    wrong = (answers.predicted != answers.labels).sum()
    assert len((tmp_path / "out" / "mistakes.csv").read_text().splitlines()) == wrong + 1


def test_photos_of_ones_own_must_say_what_they_show(
    ended: Callable[..., tuple[object, str]], made: Bundle, drawn_dataset: OxfordFlowers, tmp_path: Path
) -> None:
    shutil.copy(drawn_dataset.path(1), tmp_path / "flat.jpg")
    code, said = ended("evaluate", str(made.folder), "--photos", str(tmp_path))
    assert code == 1
    assert "flat.jpg" in said


def test_photos_of_ones_own_join_the_gallery_and_leave_it(
    made: Bundle, drawn_dataset: OxfordFlowers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWERS_OWN_DIR", str(tmp_path / "own"))
    (tmp_path / "mine" / "rose").mkdir(parents=True)
    for number in range(40):
        draw_flower(number % 6, np.random.default_rng(1000 + number)).save(tmp_path / "mine" / "rose" / f"{number}.png")
    draw_flower(2, np.random.default_rng(7)).save(tmp_path / "mine" / "loose.png")
    before = (made.folder / "bundle.json").read_bytes()
    call("build_gallery", str(made.folder), "--photos", str(tmp_path / "mine"))
    model = made.digest("int8.tflite") or ""
    path = tmp_path / "own" / "tiny.npz"
    first = load_user_photos(path, model)
    assert len(first) == 41
    gallery = ExtendedGallery(Gallery.load(made.path(INDEX_FILE), made.path(RECORDS_FILE)), made.name, first)
    photo = open_photo(tmp_path / "mine" / "rose" / "8.png")
    (ref,) = gallery.photos_of(photo.sha256)
    forward = Runtime(made.path("int8.tflite")).forward(model_input(photo.pixels, made.crop_rule).pixels[None])
    nearest = gallery.search(forward.embedding[0], 1)[0]
    assert (nearest.photo, nearest.label, nearest.split) == (ref, 74, "user")

    draw_flower(3, np.random.default_rng(8)).save(tmp_path / "mine" / "rose" / "new.png")
    call("build_gallery", str(made.folder), "--photos", str(tmp_path / "mine"))
    assert load_user_photos(path, model).ids.tolist() == [*first.ids.tolist(), first.next_id]
    shutil.rmtree(tmp_path / "mine" / "rose")
    call("build_gallery", str(made.folder), "--photos", str(tmp_path / "mine" / "rose"), "--remove")
    assert [Path(kept).name for kept in load_user_photos(path, model).paths] == ["loose.png"]
    assert (made.folder / "bundle.json").read_bytes() == before


def test_a_second_evaluation_changes_nothing(made: Bundle, drawn_dataset: OxfordFlowers) -> None:
    before = json.loads((made.folder / "bundle.json").read_text())
    call("evaluate", str(made.folder), "--data", str(drawn_dataset.root))
    after = json.loads((made.folder / "bundle.json").read_text())
    assert (after["metrics"], after["calibration"]) == (before["metrics"], before["calibration"])


def test_after_an_audit_the_figures_are_given_without_near_copies_too(
    made: Bundle, drawn_dataset: OxfordFlowers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "audited"
    shutil.copytree(made.folder, folder)
    train, test = drawn_dataset.split_ids("train").tolist(), drawn_dataset.split_ids("test").tolist()
    pairs = tuple(
        NearDuplicate(min(pair), max(pair), 5, False, 0.9, False) for pair in ((train[0], test[3]), (test[7], test[8]))
    )
    record = AuditRecord(72, drawn_dataset.fingerprint(), "drawn", pairs, (), (), (), max_distance=9, min_cosine=0.8)
    call("evaluate", str(folder), "--from-saved", "--data", str(drawn_dataset.root))
    assert "There is no audit of these photos" in capsys.readouterr().out
    BundleWriter.open(folder).add_json(AUDIT_FILE, record.to_json())
    for model in folder.glob("*.tflite"):  # what is kept is enough
        model.unlink()
    call("evaluate", str(folder), "--from-saved", "--data", str(drawn_dataset.root))
    assert "no audit" not in capsys.readouterr().out
    after = load_bundle(folder)
    for precision in made.precisions:
        answers = load_predictions(made.path("test_predictions.npz"), precision)
        right = (answers.predicted == answers.labels)[answers.ids != test[3]]
        figures = after.metrics[precision]["test"]
        alone = figures.without_near_duplicates
        assert alone is not None
        assert alone.photos == len(test) - 1
        assert alone.top1 == pytest.approx(right.mean())
        assert alone.rule == NearDuplicateRule(9, 0.8, "drawn")
        assert replace(figures, without_near_duplicates=None) == made.metrics[precision]["test"]


@pytest.mark.parametrize("script", ["evaluate", "quantize", "build_gallery"])
def test_a_bundle_that_is_not_there(script: str, ended: Callable[..., tuple[object, str]], tmp_path: Path) -> None:
    code, said = ended(script, str(tmp_path / "absent"))
    assert code == 1
    assert said.startswith("There is no model in ")


@pytest.mark.parametrize("script", ["evaluate", "quantize", "build_gallery"])
def test_a_dataset_that_is_not_there(script: str, ended: Callable[..., tuple[object, str]], made: Bundle) -> None:
    before = (made.folder / "bundle.json").read_bytes()
    code, said = ended(script, str(made.folder))
    assert code == 1
    assert "flowers download_data" in said
    assert (made.folder / "bundle.json").read_bytes() == before


def test_training_says_what_is_wrong_with_its_arguments(
    ended: Callable[..., tuple[object, str]], drawn_dataset: OxfordFlowers, tmp_path: Path
) -> None:
    code, said = ended("train", "--backbone", "vgg99")
    assert code == 2
    assert "There is no backbone 'vgg99'" in said
    data = ("--data", str(drawn_dataset.root))
    code, said = ended("train", "--out", str(tmp_path / "new"), "--weights", str(tmp_path), *data)
    assert code == 1
    assert "efficientnet_lite0_imagenet_notop.weights.h5" in said
    assert not (tmp_path / "new").exists()
