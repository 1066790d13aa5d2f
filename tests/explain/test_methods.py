"""Every method asked the same way."""

from dataclasses import replace

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget
from flowers_core.explain.methods import METHODS, Needs
from flowers_core.explain.metrics.sanity import KerasModel
from tests.fixtures.small_network import FRAME, SIZE, photo

SLOW = ("lime_reference",)


@pytest.fixture(scope="module")
def model(network):
    return KerasModel(network)


@pytest.fixture
def subject(model):
    return model.subject(photo(), FRAME, temperature=0.8)


@pytest.mark.parametrize("name", METHODS)
def test_each_explains_a_class_in_the_frame_it_was_given(subject, name):
    method = METHODS[name]
    explained = method.explain(subject, ClassTarget(2), seed=3)
    assert explained.method == name
    assert explained.target == ClassTarget(2)
    assert (explained.box, explained.photo_size) == (FRAME["box"], FRAME["photo_size"])
    assert explained.contributions.any()
    assert explained.heatmap().shape == (64, 64)
    assert (explained.seed == 3) == method.draws
    assert explained.settings.get("temperature", 0.8) == 0.8


@pytest.mark.parametrize("name", [name for name in METHODS if name not in SLOW])
def test_a_contrast_is_explained_or_refused_in_a_sentence(subject, name):
    method = METHODS[name]
    if method.contrasts:
        assert method.explain(subject, ContrastTarget(2, 5)).target == ContrastTarget(2, 5)
    else:
        with pytest.raises(ValueError, match="one class at a time"):
            method.explain(subject, ContrastTarget(2, 5))
    with pytest.raises(ValueError, match="class"):
        method.explain(subject, NeighbourTarget(2))


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.draws and name not in SLOW])
def test_what_draws_changes_with_the_seed_and_comes_back_with_it(subject, name):
    one, again, other = (METHODS[name].explain(subject, ClassTarget(1), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.contributions, again.contributions)
    assert (one.contributions != other.contributions).any()


def test_the_answers_are_the_models(network, subject):
    features, head = subject.features, subject.head
    logits = subject.logits(photo()[None])[0]
    np.testing.assert_allclose(logits, network(photo()[None].astype(np.float32)).numpy()[0], atol=1e-5)
    bias = network.get_layer("logits").get_weights()[1]
    np.testing.assert_allclose(features.mean(axis=(0, 1)) @ head + bias, logits, atol=1e-5)
    assert METHODS["cam"].explain(subject, ClassTarget(2)).value + bias[1] == pytest.approx(logits[1], abs=1e-4)
    forward = subject.forward(photo()[None])
    np.testing.assert_allclose(forward.logits[0], logits, atol=1e-5)
    np.testing.assert_array_equal(forward.features[0], features)


def test_lime_fits_each_position_if_the_model_gives_its_feature_maps(subject):
    explained = METHODS["lime"].explain(subject, ClassTarget(2))
    assert explained.settings["per_position"]
    assert explained.settings["samples"] <= METHODS["lime"].forward_passes
    assert not METHODS["lime"].explain(replace(subject, forward=None), ClassTarget(2)).settings["per_position"]


def test_without_a_keras_model_the_others_still_work(subject):
    bare = replace(subject, gradients=None)
    for method in METHODS.values():
        if method.needs is Needs.KERAS:
            with pytest.raises(ValueError, match="needs the Keras model"):
                method.explain(bare, ClassTarget(1))
    assert METHODS["occlusion"].explain(bare, ClassTarget(1)).contributions.shape == (SIZE, SIZE)
