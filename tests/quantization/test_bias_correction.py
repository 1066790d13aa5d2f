import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.quantization.bias_correction import bias_corrected, mean_shifts
from flowers_core.quantization.weight_rounding import round_to_int8
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, SIZE, SIZE, 3), dtype=np.uint8)


def network(*, bias: bool) -> keras.Model:
    """One 1×1 convolution of two channels to one, with its bias in itself or in a batch normalization behind it."""
    x = keras.Input((2, 2, 2), name="photo")
    y = layers.Conv2D(1, 1, use_bias=bias, name="mix")(x)
    if not bias:
        y = layers.BatchNormalization(epsilon=0.0, name="norm")(y)
    model = keras.Model(x, y)
    model.get_layer("mix").kernel.assign(np.array([127.0, 10.4]).reshape(1, 1, 2, 1))
    if not bias:
        model.get_layer("norm").gamma.assign([0.5])
    return model


def test_the_shift_of_one_weight_is_its_rounding_error_times_the_mean_input() -> None:
    """The step is 127 ÷ 127 = 1, so 10.4 becomes 10: on inputs of mean 50 the output falls by 0.4 · 50 = 20."""
    photos = np.zeros((2, 2, 2, 2), np.uint8)
    photos[0, ..., 1] = 100
    model = network(bias=True)
    assert mean_shifts(model, ["mix"], photos)["mix"] == pytest.approx([-20.0], rel=1e-5)
    assert bias_corrected(model, photos).get_layer("mix").bias.numpy() == pytest.approx([20.0], rel=1e-5)
    assert model.get_layer("mix").bias.numpy() == pytest.approx([0.0])


def test_without_a_bias_the_batch_normalization_behind_takes_it_back() -> None:
    """It halves what it is given, so 20 taken back before it are 10 behind it."""
    photos = np.full((1, 2, 2, 2), 50, np.uint8)
    model = network(bias=False)
    before, after = model(photos.astype(np.float32)), bias_corrected(model, photos)(photos.astype(np.float32))
    np.testing.assert_allclose(after - before, 10.0, rtol=1e-5)


def test_what_is_left_out_stays_as_it_is() -> None:
    photos = np.full((1, 2, 2, 2), 50, np.uint8)
    assert bias_corrected(network(bias=True), photos, leave_out=["mix"]).get_layer("mix").bias.numpy() == 0


def test_with_rounded_kernels_the_corrected_network_answers_nearer_to_the_exact_one(photos: np.ndarray) -> None:
    """What a conversion does to the kernels, done here in float: the corrected biases bring the features back."""
    classifier = tiny_classifier(classes=5)
    exact = embedding_of(classifier, photos)
    plain = embedding_of(with_rounded_kernels(classifier), photos)
    corrected = embedding_of(with_rounded_kernels(bias_corrected(classifier, photos)), photos)
    error = np.abs((plain - exact).mean(axis=0)).sum()
    assert np.abs((corrected - exact).mean(axis=0)).sum() < 0.5 * error


def with_rounded_kernels(classifier: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(classifier)
    copy.set_weights(classifier.get_weights())
    for layer in copy.layers:
        if isinstance(layer, layers.Conv2D):
            layer.kernel.assign(round_to_int8(layer.kernel))
    return copy


def embedding_of(classifier: keras.Model, photos: np.ndarray) -> np.ndarray:
    network = keras.Model(classifier.input, classifier.get_layer("embedding").output)
    return np.asarray(network(photos.astype(np.float32)))
