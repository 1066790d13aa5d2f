import keras
from keras import layers

from flowers_core.networks.classifier import build_classifier
from flowers_core.quantization.scale_groups import ranges_of_groups, readers_of, scale_groups


def branching() -> keras.Model:
    """A stem, two branches that are put together again, and a residual; a layer of each kind that matters."""
    x = keras.Input((16, 16, 3), name="photo")
    y = layers.Rescaling(1 / 128, name="scaling")(x)
    y = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="stem")(y)
    y = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_norm")(y))
    left = layers.Conv2D(6, 1, activation="relu", name="left")(y)
    right = layers.MaxPooling2D(3, strides=1, padding="same", name="pool")(y)
    right = layers.Activation("relu", name="right_relu")(layers.Conv2D(2, 1, name="right")(right))
    y = layers.Concatenate(name="both")([left, right])
    z = layers.BatchNormalization(name="linear_norm")(layers.DepthwiseConv2D(3, padding="same", name="depthwise")(y))
    y = layers.ReLU(6.0, name="sum_relu")(layers.Add(name="sum")([y, z]))
    return build_classifier(keras.Model(x, y, name="branching"), 3)


def test_what_is_computed_as_one_is_rounded_once() -> None:
    """Neither the photo, nor what a batch normalization or a ReLU follows."""
    rounded = set(scale_groups(branching()))
    assert rounded == {
        *("stem_relu", "left", "pool", "right_relu", "both", "linear_norm", "sum_relu"),
        *("features", "embedding", "dropout", "logits"),
    }


def test_what_only_moves_values_shares_their_scale() -> None:
    groups = scale_groups(branching())
    assert groups["stem_relu"] == groups["pool"]
    assert groups["left"] == groups["right_relu"] == groups["both"]
    assert groups["sum_relu"] == groups["features"]
    assert len({groups[name] for name in ("pool", "both", "linear_norm", "sum_relu", "embedding", "logits")}) == 6


def test_a_group_has_one_range_with_zero_in_it() -> None:
    lowest, highest = {"a": 1.0, "b": -2.0, "c": 3.0}, {"a": 5.0, "b": 4.0, "c": 6.0}
    found = ranges_of_groups({"a": 0, "b": 0, "c": 1}, lowest, highest)
    assert found == {"a": (-2.0, 5.0), "b": (-2.0, 5.0), "c": (0.0, 6.0)}


def test_readers_are_all_that_read() -> None:
    readers = readers_of(branching())
    assert {layer.name for layer in readers["both"]} == {"depthwise", "sum"}
    assert readers["logits"] == []
