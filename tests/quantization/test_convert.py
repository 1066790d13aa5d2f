import functools
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.inference.bundle import DEFAULT_BUNDLE, PRECISIONS, load_bundle
from flowers_core.inference.runtime import Forward, Runtime
from flowers_core.networks.classifier import build_classifier, load_classifier, three_outputs
from flowers_core.quantization.compact import compact
from flowers_core.quantization.convert import QuantizationError, convert, layer_noise
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    return tiny_classifier(classes=5)


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (20, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def converted(classifier: keras.Model, photos: np.ndarray) -> Callable[[str], bytes]:
    """The classifier in a numeric format, converted once."""
    return functools.cache(lambda name: convert(classifier, name, photos if name == "int8" else None))


def serve(model: bytes, photos: np.ndarray, folder: Path) -> Forward:
    path = folder / "model.tflite"
    path.write_bytes(model)
    return Runtime(path, workers=1).forward(photos)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_answers_like_keras(
    classifier: keras.Model, converted: Callable[[str], bytes], photos: np.ndarray, tmp_path: Path, precision: str
) -> None:
    expected = {name: value.numpy() for name, value in three_outputs(classifier)(photos.astype(np.float32)).items()}
    served = serve(converted(precision), photos, tmp_path)
    for name, value in expected.items():
        answer = getattr(served, name)
        assert answer.dtype == np.float32
        if precision == "float32":
            np.testing.assert_allclose(answer, value, atol=1e-4)
        else:
            assert cosine(answer, value) > 0.995


def test_a_float_photo_range_of_0_to_255_goes_in_as_it_is(
    classifier: keras.Model, converted: Callable[[str], bytes], photos: np.ndarray, tmp_path: Path
) -> None:
    black_and_white = np.stack([np.zeros_like(photos[0]), np.full_like(photos[0], 255)])
    expected = three_outputs(classifier)(black_and_white.astype(np.float32))["features"].numpy()
    assert cosine(serve(converted("int8"), black_and_white, tmp_path).features, expected) > 0.99


def test_calibration_photos_that_miss_black_or_white_are_refused(classifier: keras.Model, photos: np.ndarray) -> None:
    with pytest.raises(QuantizationError, match="does not reach from 0 to 255"):
        convert(classifier, "int8", photos // 2)


def test_arguments_that_do_not_fit_are_refused(classifier: keras.Model, photos: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no numeric format 'int4'"):
        convert(classifier, "int4")
    with pytest.raises(ValueError, match="A representative dataset is needed for int8"):
        convert(classifier, "int8")
    with pytest.raises(ValueError, match="Only an int8 model"):
        convert(classifier, "float16", float_layers=["logits"])
    with pytest.raises(ValueError, match="nothing else"):
        convert(classifier, "float16", photos)


@pytest.mark.slow
def test_noise_is_that_of_rounding_to_256_levels(classifier: keras.Model, photos: np.ndarray) -> None:
    """The first layer scales 0…255 to −1…1 in steps of 1/127.5, so its error is uniform noise of a known power."""
    noise = {layer.operation: layer.decibels for layer in layer_noise(classifier, photos, photos[:6])}
    assert set(noise) == {"MUL", "ADD", "CONV_2D", "MEAN", "FULLY_CONNECTED"}
    scaled = photos[:6] / 127.5 - 1
    step = 2 / 255
    expected = 10 * np.log10((scaled**2).mean() / (step**2 / 12))
    assert noise["ADD"] == pytest.approx(expected, abs=3)
    ordered = [layer.decibels for layer in layer_noise(classifier, photos, photos[:2])]
    assert ordered == sorted(ordered)


@pytest.mark.slow
def test_noise_of_early_layers_is_not_read_after_later_ones_took_their_memory(photos: np.ndarray) -> None:
    """A layer that is given exact inputs rounds to 256 levels, whatever is beside and behind it."""
    keras.utils.set_random_seed(0)
    photo = keras.Input((SIZE, SIZE, 3), name="photo")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(photo)
    for _ in range(3):
        pooled = layers.AveragePooling2D(3, 1, padding="same")(x)
        ways = [layers.Conv2D(8, 3, padding="same", activation="relu")(x), layers.Conv2D(4, 1)(pooled)]
        x = layers.Concatenate()(ways)
    branched = build_classifier(keras.Model(photo, x), 5)
    noise = layer_noise(branched, photos, photos[:3])
    assert {"AVERAGE_POOL_2D", "CONCATENATION"} < {layer.operation for layer in noise}
    assert all(layer.decibels > 25 for layer in noise), [layer for layer in noise if layer.decibels <= 25]


@pytest.mark.slow
def test_layers_left_in_float_lose_their_noise(classifier: keras.Model, photos: np.ndarray, tmp_path: Path) -> None:
    exact = three_outputs(classifier)(photos.astype(np.float32))["logits"].numpy()
    errors = []
    noisy = [layer.layer for layer in layer_noise(classifier, photos, photos[:2]) if layer.operation != "MUL"]
    for kept in ([], noisy):
        path = tmp_path / f"{len(kept)}.tflite"
        path.write_bytes(convert(classifier, "int8", photos, float_layers=kept))
        errors.append(float(np.abs(Runtime(path, workers=1).logits(photos) - exact).max()))
    assert errors[1] < errors[0] / 2


def test_a_compact_model_is_smaller_and_answers_to_the_bit_alike(
    classifier: keras.Model, photos: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowers_core.quantization.convert.compact", lambda model: model)
    whole = convert(classifier, "int8", photos)
    small = compact(whole)
    assert len(small) < len(whole)
    assert compact(small) == small
    answers = []
    for model in (whole, small):
        path = tmp_path / "int8.tflite"
        path.write_bytes(model)
        answers.append(Runtime(path, workers=1).forward(photos))
    for name in ("logits", "features", "embedding"):
        np.testing.assert_array_equal(*(getattr(answer, name) for answer in answers))


@pytest.mark.slow
def test_the_converter_is_silent(classifier: keras.Model, capfd: pytest.CaptureFixture[str]) -> None:
    convert(classifier, "float32")
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_the_shipped_models_answer_like_the_shipped_classifier() -> None:
    """On scikit-learn's own photo of a flower, whole and in four quarters."""
    from sklearn.datasets import load_sample_image

    from flowers_core.data.model_input import model_input

    bundle = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
    flower = load_sample_image("flower.jpg")
    height, width = flower.shape[0] // 2, flower.shape[1] // 2
    views = [flower, flower[:height, :width], flower[:height, width:], flower[height:, :width], flower[height:, width:]]
    photos = np.stack([model_input(view, bundle.crop_rule).pixels for view in views])
    network = three_outputs(load_classifier(bundle.path("classifier.keras")))
    expected = {name: value.numpy() for name, value in network(photos.astype(np.float32)).items()}

    half = Runtime(bundle.path("float16.tflite")).forward(photos)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(half, name), value, atol=1e-3)
    int8 = Runtime(bundle.path("int8.tflite")).forward(photos)
    for position in range(len(photos)):
        assert cosine(int8.embedding[position], expected["embedding"][position]) >= 0.99
        assert cosine(int8.features[position], expected["features"][position]) >= 0.97
