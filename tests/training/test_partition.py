import keras
import numpy as np
import pytest
from keras import layers

from flowers_core.networks.classifier import build_classifier
from flowers_core.training.partition import partition_classifier
from flowers_core.training.recipe import RecipeError


def tiny_backbone():
    """photo → c1 → relu → (depth → c2) + → relu → left, right → concatenate → norm."""
    photo = keras.Input((8, 8, 3), name="photo")
    x = layers.Conv2D(4, 3, padding="same", name="c1")(photo)
    entry = layers.ReLU(name="r1")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depth")(entry)
    x = layers.Conv2D(4, 1, name="c2")(x)
    x = layers.Add(name="add")([entry, x])
    left = layers.Conv2D(2, 1, name="left")(x)
    right = layers.Conv2D(3, 1, name="right")(x)
    x = layers.Concatenate(name="join")([left, right])
    return keras.Model(photo, layers.BatchNormalization(name="norm")(x), name="tiny")


@pytest.fixture
def classifier():
    keras.utils.set_random_seed(0)
    return build_classifier(tiny_backbone(), 3)


@pytest.mark.parametrize(
    ("unfrozen", "cut"),
    [
        (0, "embedding"),
        (1, "join"),  # the norm alone learns nothing, for batch norm is frozen, but is computed
        (2, "add"),  # between left and right two tensors pass
        (3, "add"),
        (4, "add"),
        (5, "r1"),  # the residual passes beside depth and c2
        (7, "r1"),
        (9, "photo"),
    ],
)
def test_the_cut_never_goes_across_a_branch(classifier, unfrozen, cut):
    assert partition_classifier(classifier, unfrozen).freeze_point == cut


@pytest.mark.parametrize("unfrozen", range(10))
def test_both_parts_together_are_the_whole(classifier, unfrozen):
    photos = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
    partition = partition_classifier(classifier, unfrozen)
    passing = photos if partition.frozen is None else partition.frozen(photos)
    np.testing.assert_allclose(partition.tail(passing), classifier(photos), rtol=1e-4, atol=1e-3)


def names_that_learn(classifier):
    return {variable.path.split("/")[-2] for variable in classifier.trainable_variables}


def test_only_the_last_layers_learn_and_batch_norm_never(classifier):
    partition_classifier(classifier, 4)
    assert names_that_learn(classifier) == {"left", "right", "logits"}
    partition_classifier(classifier, 9)
    assert names_that_learn(classifier) == {"c1", "depth", "c2", "left", "right", "logits"}
    partition_classifier(classifier, 9, train_depthwise=False)
    assert names_that_learn(classifier) == {"c1", "c2", "left", "right", "logits"}
    partition_classifier(classifier, 0)
    assert names_that_learn(classifier) == {"logits"}


def test_batch_norm_stays_in_inference_mode_while_training(classifier):
    partition = partition_classifier(classifier, 4)
    before = [w.copy() for w in classifier.get_layer("norm").get_weights()]
    photos = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
    passing = partition.frozen(photos)
    np.testing.assert_allclose(
        partition.tail(passing, training=True), partition.tail(passing, training=False), rtol=1e-5
    )
    for old, new in zip(before, classifier.get_layer("norm").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("unfrozen", [-1, 10, 99])
def test_more_layers_than_there_are_is_refused(classifier, unfrozen):
    with pytest.raises(RecipeError, match="has 9 backbone layers"):
        partition_classifier(classifier, unfrozen)
