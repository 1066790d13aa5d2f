from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from flowers_core.inference.runtime import Runtime
from flowers_core.networks.classifier import three_outputs
from flowers_core.quantization.bias_correction import bias_corrected
from flowers_core.quantization.convert import convert
from flowers_core.quantization.fake_quantization import FakeQuantize, activation_ranges, fake_quantized
from flowers_core.quantization.weight_rounding import round_to_int8
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier
from tests.quantization.test_equalization import uneven
from tests.quantization.test_scale_groups import branching


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (20, SIZE, SIZE, 3), dtype=np.uint8)


def test_values_are_rounded_to_256_levels_and_cut_off() -> None:
    """From −1 to 254 in steps of 1."""
    values = tf.constant([-3.0, -0.6, 0.0, 0.4, 7.6, 300.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        found = FakeQuantize(-1.0, 254.0)(values)
    np.testing.assert_allclose(found, [-1.0, -1.0, 0.0, 0.0, 8.0, 254.0], atol=1e-5)
    np.testing.assert_array_equal(tape.gradient(found, values), [0.0, 1.0, 1.0, 1.0, 1.0, 0.0])


def test_ranges_are_those_that_photos_reach(photos: np.ndarray) -> None:
    classifier = tiny_classifier(classes=5)
    ranges = activation_ranges(classifier, photos)
    features = three_outputs(classifier)(photos.astype(np.float32))["features"].numpy()
    assert ranges["features"] == pytest.approx((0.0, float(features.max())), rel=1e-5)
    assert not {"embedding", "logits"} & set(ranges)


def test_only_what_int8_rounds_is_rounded() -> None:
    classifier = uneven(branching())
    photos = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    copy = fake_quantized(classifier, activation_ranges(classifier, photos), exact=["right"])
    inserted = {layer.name.removesuffix("_rounded") for layer in copy.layers if isinstance(layer, FakeQuantize)}
    assert inserted == {"stem_relu", "left", "right_relu", "linear_norm", "sum_relu"}
    for name in ("left", "right"):
        kernel = classifier.get_layer(name).kernel
        expected = kernel if name == "right" else round_to_int8(kernel)
        np.testing.assert_array_equal(copy.get_layer(name).kernel, expected)


@pytest.mark.slow
def test_it_answers_as_the_converted_model_does(tmp_path: Path) -> None:
    """Nearer to it than the exact network is; the rest is what one step more or less makes further on."""
    classifier = uneven(branching())
    photos = np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)
    path = tmp_path / "int8.tflite"
    path.write_bytes(convert(classifier, "int8", photos, alpha=0.0))
    int8 = Runtime(path, workers=1).forward(photos).features
    copy = fake_quantized(bias_corrected(classifier, photos), activation_ranges(classifier, photos))
    answers = [three_outputs(network)(photos.astype(np.float32))["features"].numpy() for network in (classifier, copy)]
    exact, imitated = (float(np.sqrt(np.square(int8 - features).mean())) for features in answers)
    assert imitated < 0.35 * exact


def test_without_rounding_it_is_the_network_itself(photos: np.ndarray) -> None:
    classifier = tiny_classifier(classes=5)
    kernels = [layer.name for layer in classifier.layers if isinstance(layer, keras.layers.Conv2D)]
    copy = fake_quantized(classifier, {}, exact=kernels)
    np.testing.assert_array_equal(copy(photos.astype(np.float32)), classifier(photos.astype(np.float32)))
