"""The traced gradients: against finite differences, and without a second tracing."""

import subprocess
import sys

import numpy as np
import pytest

from flowers_core.explain.attributions.gradients import Gradients, feature_layers, last_of_each_size
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget
from tests.fixtures.small_network import photo


def logits(network, photos: np.ndarray) -> np.ndarray:
    return network(photos.astype(np.float32), training=False).numpy().astype(float)


def test_at_the_last_layer_the_gradient_is_the_heads_weight(network, gradients_at):
    at_layer = gradients_at("features").at_layer(photo(), ClassTarget(2))
    head, bias = network.get_layer("logits").get_weights()
    np.testing.assert_allclose(at_layer.gradients, np.broadcast_to(head[:, 1] / 64, (8, 8, 14)), rtol=1e-5)
    assert at_layer.score == pytest.approx(logits(network, photo()[None])[0, 1], abs=1e-5)
    assert at_layer.activations.mean(axis=(0, 1)) @ head[:, 1] + bias[1] == pytest.approx(at_layer.score, abs=1e-5)


def test_the_gradient_at_an_early_layer_foretells_what_a_change_does(network, gradients_at):
    """A finite difference through the rest of the network, layer by layer as Keras runs it."""
    at_layer = gradients_at("early").at_layer(photo(1), ContrastTarget(3, 5))
    names = [layer.name for layer in network.layers]
    rest = network.layers[names.index("early") + 1 :]

    def score(activations: np.ndarray) -> float:
        x = activations[None].astype(np.float32)
        for layer in rest:
            x = layer(x, training=False) if layer.name == "dropout" else layer(x)
        out = np.asarray(x)[0].astype(float)
        return out[2] - out[4]

    assert score(at_layer.activations) == pytest.approx(at_layer.score, abs=1e-5)
    step = 1e-3 * np.random.default_rng(0).normal(size=at_layer.activations.shape)
    moved = score(at_layer.activations + step) - score(at_layer.activations - step)
    assert moved / 2 == pytest.approx((at_layer.gradients * step).sum(), rel=0.02)


def test_each_photo_gets_its_own_gradient(network, gradients_at):
    photos = np.stack([photo(seed) for seed in range(3)]).astype(np.float32)
    found = gradients_at("features").at_photo(photos, ClassTarget(4))
    assert found.shape == photos.shape
    for one, gradient in zip(photos, found, strict=True):
        step = np.random.default_rng(1).normal(size=one.shape) * 0.3
        moved = logits(network, np.stack([one + step, one - step]))[:, 3]
        assert (moved[0] - moved[1]) / 2 == pytest.approx((gradient * step).sum(), rel=0.05, abs=1e-4)


def test_another_class_or_photo_traces_nothing_anew(network):
    gradients = Gradients(network, "early")
    for label in (1, 2, 3):
        gradients.at_layer(photo(label), ClassTarget(label))
        gradients.at_photo(photo(label)[None].repeat(label, axis=0), ContrastTarget(label, 6))
    # A tf.function counts its graphs.
    assert gradients._at_layer.experimental_get_tracing_count() == 1  # type: ignore[attr-defined]
    assert gradients._at_photo.experimental_get_tracing_count() == 1  # type: ignore[attr-defined]


def test_new_weights_need_no_new_graph(network):
    from tests.fixtures.small_network import small_network

    other = small_network(seed=8)
    gradients = Gradients(other)
    before = gradients.at_layer(photo(), ClassTarget(1))
    other.set_weights(network.get_weights())
    after = gradients.at_layer(photo(), ClassTarget(1))
    assert after.score == pytest.approx(logits(network, photo()[None])[0, 0], abs=1e-5)
    assert after.score != before.score


def test_the_layers_that_can_be_chosen(network):
    layers = feature_layers(network)
    assert layers["early"] == (16, 16, 10)
    assert layers["features"] == (8, 8, 14)
    assert not {"embedding", "logits", "photo"} & set(layers)
    assert list(last_of_each_size(network).values()) == [(32, 32, 3), (16, 16, 10), (8, 8, 14)]
    assert list(last_of_each_size(network))[1:] == ["early", "features"]


def test_what_cannot_be_is_refused(network, gradients_at):
    with pytest.raises(ValueError, match=r"not a feature map of this model; there are .*early, features"):
        Gradients(network, "embedding")
    gradients = gradients_at("features")
    for target in (ClassTarget(0), ClassTarget(7), ContrastTarget(1, 7)):
        with pytest.raises(ValueError, match="no label"):
            gradients.at_layer(photo(), target)
    with pytest.raises(ValueError, match="neighbour"):
        gradients.at_layer(photo(), NeighbourTarget(1))
    with pytest.raises(ValueError, match="32×32"):
        gradients.at_layer(photo()[:16], ClassTarget(1))


def test_tensorflow_waits_until_it_is_called():
    modules = ", ".join(
        f"flowers_core.explain.attributions.{name}"
        for name in (
            "gradients",
            "grad_cam",
            "grad_cam_plus_plus",
            "layer_cam",
            "score_cam",
            "saliency",
            "tf_keras_vis_reference",
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {modules}; print('tensorflow' in sys.modules, 'keras' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]
