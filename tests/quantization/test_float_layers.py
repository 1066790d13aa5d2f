"""Names of a converted graph's nodes, found again in another conversion and in the Keras network."""

import keras
from keras import layers

from flowers_core.networks.classifier import build_classifier
from flowers_core.quantization.float_layers import keras_layers_of, nodes_of


def network() -> keras.Model:
    photos = keras.Input((8, 8, 3), name="photo")
    x = layers.ReLU(name="relu")(layers.Conv2D(4, 3, name="conv")(photos))
    x = layers.ReLU(name="last_relu")(layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv_1")(x)))
    return build_classifier(keras.Model(photos, x, name="tiny"), 3)


def test_a_node_is_the_same_where_something_more_was_fused() -> None:
    graph = ["m/relu/Relu;m/conv/BiasAdd;m/conv/convolution", "m/scale/mul", "m/scale/add", "StatefulPartitionedCall:1"]
    assert nodes_of(["m/relu/Relu;m/conv/convolution"], graph) == graph[:1]
    assert nodes_of(["m/scale/add", "StatefulPartitionedCall:1"], graph) == graph[2:]
    assert nodes_of(["m/relu"], graph) == []


def test_layers_are_found_by_their_scopes() -> None:
    classifier = network()
    scope = f"served/{classifier.name}_three_outputs"
    assert keras_layers_of([f"{scope}/relu/Relu;{scope}/conv/convolution"], classifier) == {"relu", "conv"}
    assert keras_layers_of([f"{scope}/conv_1/convolution"], classifier) == {"conv_1"}
    assert keras_layers_of([f"{scope}/rescaling/mul"], classifier) == set()


def test_scopes_that_are_numbered_anew_are_read_without_the_number() -> None:
    """“conv_1” is then the layer “conv”, and “conv_1_1” the layer “conv_1”."""
    classifier = network()
    scope = f"served_1/{classifier.name}_three_outputs_1"
    assert keras_layers_of([f"{scope}/conv_1/convolution"], classifier) == {"conv"}
    assert keras_layers_of([f"{scope}/conv_1_1/convolution"], classifier) == {"conv_1"}


def test_the_features_stand_for_all_back_to_their_convolution() -> None:
    classifier = network()
    found = keras_layers_of(["StatefulPartitionedCall_1:1"], classifier)
    assert found == {"features", "last_relu", "norm", "conv_1"}
    # The embedding and the logits come from no convolution of their own.
    assert keras_layers_of(["StatefulPartitionedCall_1:0", "StatefulPartitionedCall_1:2"], classifier) == set()
