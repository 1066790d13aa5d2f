import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.networks.classifier import build_classifier, three_outputs
from flowers_core.quantization.equalization import cross_layer_equalized
from tests.quantization.test_scale_groups import branching


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (10, 16, 16, 3), dtype=np.uint8)


def uneven(network: keras.Model) -> keras.Model:
    """Weights of very different size from channel to channel, and statistics that are not the initial ones."""
    generator = np.random.default_rng(1)
    for layer in network.layers:
        weights = [
            generator.normal(size=w.shape) * np.exp(generator.normal(size=w.shape[-1])) for w in layer.get_weights()
        ]
        if isinstance(layer, layers.BatchNormalization):
            weights[-1] = np.abs(weights[-1]) + 0.5  # the variance
        layer.set_weights(weights)
    return network


def test_the_network_answers_as_before(photos: np.ndarray) -> None:
    classifier = uneven(branching())
    even = cross_layer_equalized(classifier, photos, alpha=1.0)
    before, after = (three_outputs(network)(photos.astype(np.float32)) for network in (classifier, even))
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-3, atol=1e-4 * float(np.abs(value).max()))
    # And not because nothing was done.
    assert not np.allclose(even.get_layer("stem").kernel, classifier.get_layer("stem").kernel)


def test_only_channels_that_all_readers_can_undo_are_scaled(photos: np.ndarray) -> None:
    """`left` and `right` reach a depthwise convolution and an addition, the stem two convolutions."""
    classifier = uneven(branching())
    even = cross_layer_equalized(classifier, photos)
    changed = {
        layer.name
        for layer in classifier.layers
        if not all(map(np.array_equal, layer.get_weights(), even.get_layer(layer.name).get_weights()))
    }
    assert changed == {"stem", "stem_norm", "left", "right"}
    for name in ("left", "right"):
        ratio = even.get_layer(name).kernel.numpy() / classifier.get_layer(name).kernel.numpy()
        np.testing.assert_allclose(ratio, ratio[..., :1] * np.ones_like(ratio), rtol=1e-5)  # inputs only


def test_branches_that_are_put_together_keep_their_channels_apart(photos: np.ndarray) -> None:
    """Of unequal width, one of them pooled, behind a batch normalization without an offset and one with a scale."""
    x = keras.Input((16, 16, 3), name="photo")
    left = layers.BatchNormalization(center=False)(layers.Conv2D(5, 1, name="left")(x))
    right = layers.BatchNormalization()(layers.Conv2D(2, 1, use_bias=False, name="right")(x))
    right = layers.AveragePooling2D(3, strides=1, padding="same")(layers.ReLU()(right))
    y = layers.Concatenate(name="both")([layers.ReLU()(left), right])
    y = layers.Conv2D(4, 3, name="last")(layers.MaxPooling2D(2)(layers.ZeroPadding2D(1)(y)))
    classifier = uneven(build_classifier(keras.Model(x, y, name="branches"), 3))
    even = cross_layer_equalized(classifier, photos)
    for name in ("left", "right"):
        ratio = even.get_layer(name).kernel.numpy() / classifier.get_layer(name).kernel.numpy()
        assert ratio.max() > 1.2
    expected = classifier(photos.astype(np.float32)).numpy()
    np.testing.assert_allclose(even(photos.astype(np.float32)), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def chain() -> keras.Model:
    """One photo's two colours times 1 and 0.1, then added up."""
    x = keras.Input((2, 2, 2), name="photo")
    y = layers.Conv2D(2, 1, activation="relu", use_bias=False, name="apart")(x)
    classifier = build_classifier(keras.Model(x, layers.Conv2D(1, 1, use_bias=False, name="sum")(y), name="chain"), 1)
    classifier.get_layer("apart").kernel.assign(np.diag([1.0, 0.1]).reshape(1, 1, 2, 2))
    classifier.get_layer("sum").kernel.assign(np.array([3.0, 5.0]).reshape(1, 1, 2, 1))
    return classifier


@pytest.mark.parametrize(("alpha", "factor"), [(0.5, np.sqrt(4)), (1.0, 4.0)])
def test_a_weak_channel_is_made_as_strong_as_alpha_says(alpha: float, factor: float) -> None:
    """At most 100 and 0.1 · 250 = 25 come out of the two channels: the second is 4 times weaker."""
    photos = np.zeros((3, 2, 2, 2), np.uint8)
    photos[0, 0, 0] = 100, 0
    photos[2, 1, 1] = 0, 250
    even = cross_layer_equalized(chain(), photos, alpha=alpha)
    np.testing.assert_allclose(np.ravel(even.get_layer("apart").kernel), [1.0, 0.0, 0.0, 0.1 * factor], rtol=1e-6)
    np.testing.assert_allclose(np.ravel(even.get_layer("sum").kernel), [3.0, 5.0 / factor], rtol=1e-6)


def test_a_channel_that_is_never_on_is_not_blown_up() -> None:
    photos = np.zeros((1, 2, 2, 2), np.uint8)
    photos[..., 0] = 100
    even = cross_layer_equalized(chain(), photos, alpha=1.0)
    assert even.get_layer("apart").kernel.numpy().max() == 1.0
