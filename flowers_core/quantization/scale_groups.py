"""Scale groups: the activations that an INT8 network quantizes, and which of them share one scale.

TensorFlow Lite folds a batch normalization into the convolution before it and computes a ReLU with it. So of the three
layers only the last one's output is quantized. A layer that only moves values (pooling, concatenation) keeps the scale
of its inputs, so all tensors that it connects have one range.
"""

from collections.abc import Mapping

import keras
from keras import layers

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D)
_SAME_SCALE = (
    *(layers.Concatenate, layers.MaxPooling2D, layers.AveragePooling2D, layers.ZeroPadding2D, layers.Dropout),
    *(layers.Cropping2D, layers.Reshape, layers.Flatten),
)


def readers_of(network: keras.Model) -> dict[str, list[keras.Layer]]:
    """The layers that read each layer's output, by its name. The network is flat, and each layer has one output."""
    readers: dict[str, list[keras.Layer]] = {layer.name: [] for layer in network.layers}
    for layer, sources in sources_of(network).items():
        for source in sources:
            readers[source.name].append(network.get_layer(layer))
    return readers


def sources_of(network: keras.Model) -> dict[str, list[keras.Layer]]:
    """The layers whose outputs each layer reads, by its name, in the order in which it reads them."""
    made_by = {id(layer.output): layer for layer in network.layers}
    return {
        layer.name: []
        if isinstance(layer, layers.InputLayer)
        else [made_by[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        for layer in network.layers
    }


def scale_groups(network: keras.Model) -> dict[str, int]:
    """The id of the scale group of each layer whose output is quantized, by the layer's name.

    A photo has 256 levels already, so layers before the first convolution are left out.
    """
    readers, sources = readers_of(network), sources_of(network)
    first = next(i for i, layer in enumerate(network.layers) if isinstance(layer, CONVOLUTIONS))
    group: dict[str, int] = {}
    for number, layer in enumerate(network.layers[first:]):
        if _is_folded(layer, readers[layer.name]):
            continue
        group[layer.name] = number
        if keeps_scale(layer):
            joined = {group[source.name] for source in sources[layer.name] if source.name in group}
            group.update({name: number for name, of in group.items() if of in joined})
    return group


def is_relu(layer: keras.Layer, *, unbounded: bool = False) -> bool:
    """Whether a layer is a plain ReLU.

    Args:
        layer: of any kind.
        unbounded: whether a ReLU with a largest value, such as ReLU6, does not count.
    """
    if isinstance(layer, layers.ReLU):
        return not layer.negative_slope and not layer.threshold and (layer.max_value is None or not unbounded)
    activation = getattr(layer, "activation", None)
    return isinstance(layer, layers.Activation) and (
        activation is keras.activations.relu or (activation is keras.activations.relu6 and not unbounded)
    )


def keeps_scale(layer: keras.Layer) -> bool:
    """Whether a layer only moves values or averages neighbours, channel by channel."""
    return isinstance(layer, _SAME_SCALE) or is_linear(layer)


def is_linear(layer: keras.Layer) -> bool:
    """Whether a layer is the linear activation, which changes nothing."""
    return isinstance(layer, layers.Activation) and layer.activation is keras.activations.linear


def ranges_of_groups(
    groups: Mapping[str, int], lowest: Mapping[str, float], highest: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """The range of each quantized output: from the least to the greatest value in its group, extended to zero.

    Args:
        groups: as `scale_groups` returns them.
        lowest, highest: the least and the greatest value of each output, by the layer's name.
    """
    found: dict[int, tuple[float, float]] = {}
    for name, group in groups.items():
        low, high = found.get(group, (0.0, 0.0))
        found[group] = min(low, lowest[name]), max(high, highest[name])
    return {name: found[group] for name, group in groups.items()}


def _is_folded(layer: keras.Layer, readers: list[keras.Layer]) -> bool:
    """Whether a layer is fused with its only reader, so that nothing is quantized between the two."""
    if len(readers) != 1:
        return False
    convolution = isinstance(layer, CONVOLUTIONS)
    if convolution and isinstance(readers[0], layers.BatchNormalization):
        return True
    return (convolution or isinstance(layer, layers.BatchNormalization | layers.Add)) and is_relu(readers[0])
