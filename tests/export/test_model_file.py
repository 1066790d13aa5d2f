"""The exported file as its clients read it."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from flowers_core.export.model_file import export_tflite, model_facts
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import Runtime
from tests.fixtures.manifests import linked_copy


@pytest.fixture(scope="module")
def file(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "flowers.tflite"
    export_tflite(bundle, path)
    return path


@pytest.fixture(scope="module")
def expected(bundle: Bundle, photos: np.ndarray) -> np.ndarray:
    logits = Runtime(bundle.path("int8.tflite"), workers=1).logits(photos)
    return softmax(logits, bundle.require_calibration().temperature)


def test_an_interpreter_gives_the_probabilities(file: Path, photos: np.ndarray, expected: np.ndarray) -> None:
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    for photo, row in zip(photos, expected, strict=True):
        interpreter.set_tensor(takes["index"], photo[None])
        interpreter.invoke()
        np.testing.assert_allclose(interpreter.get_tensor(gives["index"])[0], row, atol=1e-6)


def test_it_is_hardly_larger_than_the_bundles_own(file: Path, bundle: Bundle) -> None:
    assert file.stat().st_size <= 1.1 * bundle.manifest.files["int8.tflite"].bytes


def test_mediapipe_gives_the_same_names(file: Path, bundle: Bundle, photos: np.ndarray, expected: np.ndarray) -> None:
    mediapipe = pytest.importorskip("mediapipe")
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(file)), max_results=5)
    with vision.ImageClassifier.create_from_options(options) as classifier:
        for photo, row in zip(photos, expected, strict=True):
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=photo)
            (found,) = classifier.classify(image).classifications
            order = np.argsort(-row)[:5]
            assert [category.category_name for category in found.categories] == [bundle.class_names[k] for k in order]
            np.testing.assert_allclose([category.score for category in found.categories], row[order], atol=0.02)


def test_the_facts_are_the_bundles(bundle: Bundle) -> None:
    facts = model_facts(bundle, "int8")
    assert facts.labels == bundle.class_names
    assert bundle.digest("int8.tflite").startswith(facts.version)
    assert "102 kinds of flowers" in facts.description
    assert "256 × 256" in facts.description


def test_a_bundle_without_calibration_or_model_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    uncalibrated = load_bundle(linked_copy(bundle, tmp_path / "a", calibration=None))
    without = load_bundle(linked_copy(bundle, tmp_path / "b", without=["int8.tflite"]))
    for refused in (uncalibrated, without):
        with pytest.raises(BundleError):
            export_tflite(refused, tmp_path / "out.tflite")
    assert not (tmp_path / "out.tflite").exists()
