from pathlib import Path

import keras
import numpy as np
import pytest

from flowers_core.inference.runtime import Forward, Runtime
from flowers_core.quantization.compact import compact
from flowers_core.quantization.convert import convert, layer_noise
from flowers_core.quantization.float_head import with_float_head
from flowers_core.quantization.weight_rounding import round_to_int8
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (20, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    """With a strong channel and a weak one, as trained networks have them, and a bias."""
    classifier = tiny_classifier(classes=5)
    W, _ = classifier.get_layer("logits").get_weights()
    W[0] *= 40.0
    classifier.get_layer("logits").set_weights([W, np.linspace(-3.0, 3.0, 5, dtype=np.float32)])
    return classifier


@pytest.fixture(scope="module")
def whole(classifier: keras.Model, photos: np.ndarray) -> bytes:
    """INT8 to the last layer, as the converter makes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowers_core.quantization.convert.with_float_head", lambda model: model)
        return convert(classifier, "int8", photos)


def served(model: bytes, photos: np.ndarray, folder: Path) -> Forward:
    path = folder / "model.tflite"
    path.write_bytes(model)
    return Runtime(path, workers=1).forward(photos)


def test_the_logits_are_the_linear_function_of_the_features(
    classifier: keras.Model, whole: bytes, photos: np.ndarray, tmp_path: Path
) -> None:
    """With the weights as INT8 holds them."""
    answers = served(with_float_head(whole), photos, tmp_path)
    W, b = classifier.get_layer("logits").get_weights()
    np.testing.assert_allclose(answers.embedding, answers.features.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    expected = answers.embedding @ np.asarray(round_to_int8(W)) + b
    np.testing.assert_allclose(answers.logits, expected, atol=2e-3)


def test_only_the_features_are_rounded_before_it(whole: bytes, photos: np.ndarray, tmp_path: Path) -> None:
    before, after = served(whole, photos, tmp_path), served(with_float_head(whole), photos, tmp_path)
    np.testing.assert_array_equal(after.features, before.features)
    # Rounded logits are multiples of one step, these are not.
    assert len(np.unique(after.logits)) > len(np.unique(before.logits))


def test_no_byte_more(whole: bytes) -> None:
    assert len(compact(with_float_head(whole))) < len(whole) + 200


def test_it_is_what_convert_does_for_int8(whole: bytes, classifier: keras.Model, photos: np.ndarray, tmp_path: Path):
    expected = served(with_float_head(whole), photos, tmp_path)
    found = served(convert(classifier, "int8", photos), photos, tmp_path)
    np.testing.assert_array_equal(found.logits, expected.logits)


@pytest.mark.slow
def test_a_head_without_a_bias_has_none_in_float_either(photos: np.ndarray, tmp_path: Path) -> None:
    answers = served(convert(tiny_classifier(classes=5), "int8", photos), photos, tmp_path)
    W = np.asarray(tiny_classifier(classes=5).get_layer("logits").kernel)
    np.testing.assert_allclose(answers.logits, answers.embedding @ np.asarray(round_to_int8(W)), atol=1e-4)


@pytest.mark.slow
def test_features_that_are_float_already_are_used_as_they_are(
    classifier: keras.Model, photos: np.ndarray, tmp_path: Path
) -> None:
    """The last convolution left in float: its output is not rounded on the way to the mean."""
    last = [layer.layer for layer in layer_noise(classifier, photos, photos[:2]) if layer.layer.endswith("_1:1")]
    answers = served(convert(classifier, "int8", photos, float_layers=last), photos, tmp_path)
    assert len(np.unique(answers.features)) > 256
    W, b = classifier.get_layer("logits").get_weights()
    np.testing.assert_allclose(answers.embedding, answers.features.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(answers.logits, answers.embedding @ np.asarray(round_to_int8(W)) + b, atol=2e-3)


def test_a_head_in_float_stays_as_it_is(classifier: keras.Model) -> None:
    model = convert(classifier, "float32")
    assert with_float_head(model) == model
