"""Cross-layer equalization before INT8 quantization: channels get more equal ranges, so that one scale suits all.

An activation tensor has one scale, set by its strongest channel. A channel whose values stay ten times smaller is left
with 25 of the 256 levels. After a ReLU or a linear activation, a channel can be made s times as strong and the weights
that read it s times as weak, and the network answers as before (Nagel et al. 2019, arXiv 1906.04721, section 4.1). But
then the weights of the reading convolution differ more in size, and rounding hurts them. So the difference is shared
between activations and weights (`alpha`, as in SmoothQuant, Xiao et al. 2022, arXiv 2211.10438).
"""

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from flowers_core.quantization.scale_groups import is_relu, keeps_scale, readers_of, scale_groups, sources_of

ALPHA = 0.5
_LIMIT = 8.0  # the largest factor; it bounds channels that are hardly ever active
_BATCH = 8


def cross_layer_equalized(classifier: keras.Model, photos: NDArray[np.uint8], *, alpha: float = ALPHA) -> keras.Model:
    """A copy of a classifier with the same float answers and channels of more equal range.

    Channels that reach the features, a ReLU6, an addition or a depthwise convolution stay as they are.

    Args:
        classifier: flat and functional.
        photos: the representative dataset, (n, size, size, 3) uint8.
        alpha: 0…1; at 0 nothing changes, and at 1 each channel gets the range of its tensor.
    """
    free = _free(classifier)
    if not free or alpha <= 0:
        return classifier
    strongest = _strongest(classifier, free, photos)
    groups = scale_groups(classifier)
    whole: dict[int, float] = {}
    for name, end in free.items():
        whole[groups[end]] = max(whole.get(groups[end], 0.0), float(strongest[name].max()))
    factors = {
        name: np.minimum((whole[groups[end]] / np.maximum(strongest[name], 1e-6)) ** alpha, _LIMIT).astype(np.float32)
        for name, end in free.items()
    }
    return _scaled(classifier, factors)


def _free(classifier: keras.Model) -> dict[str, str]:
    """The convolutions whose output channels can be scaled, by name, each with the layer whose output is quantized."""
    readers = readers_of(classifier)
    passes: dict[str, bool] = {}
    # From the last layer to the first: an output is free if every reader divides by the factor or passes it on.
    for layer in reversed(classifier.layers):
        passes[layer.name] = bool(readers[layer.name]) and all(
            type(reader) is layers.Conv2D or (_is_homogeneous(reader) and passes[reader.name])
            for reader in readers[layer.name]
        )
    rounded = scale_groups(classifier)
    free = {}
    for layer in classifier.layers:
        if type(layer) is layers.Conv2D and passes[layer.name] and layer.groups == 1 and _ends_linear_or_relu(layer):
            end = layer
            while end.name not in rounded:
                (end,) = readers[end.name]
            free[layer.name] = end.name
    return free


def _is_homogeneous(layer: keras.Layer) -> bool:
    """Whether scaling a channel of what a layer reads scales that channel of what it writes."""
    if isinstance(layer, layers.Concatenate):
        return layer.axis in (-1, len(layer.output.shape) - 1)
    if isinstance(layer, layers.Reshape | layers.Flatten):
        return False
    # A batch normalization does when its mean and its offset are scaled with it.
    return keeps_scale(layer) or is_relu(layer, unbounded=True) or isinstance(layer, layers.BatchNormalization)


def _ends_linear_or_relu(layer: keras.Layer) -> bool:
    return layer.activation in (keras.activations.linear, keras.activations.relu)


def _strongest(classifier: keras.Model, free: dict[str, str], photos: NDArray[np.uint8]) -> dict[str, NDArray]:
    """The largest magnitude of each output channel, where it is quantized, (channels,) by convolution's name."""
    ends = {
        name: keras.ops.max(keras.ops.abs(classifier.get_layer(end).output), axis=(1, 2)) for name, end in free.items()
    }
    network = keras.Model(classifier.input, ends)
    found = {name: np.zeros(tensor.shape[-1], np.float32) for name, tensor in ends.items()}
    for start in range(0, len(photos), _BATCH):
        for name, values in network(photos[start : start + _BATCH].astype(np.float32)).items():
            found[name] = np.maximum(found[name], np.asarray(values).max(axis=0))
    return found


def _scaled(classifier: keras.Model, factors: dict[str, NDArray[np.float32]]) -> keras.Model:
    """A copy whose convolutions write channels multiplied by `factors`, and divide by them where they read."""
    copy = keras.models.clone_model(classifier)
    copy.set_weights(classifier.get_weights())
    sources = sources_of(classifier)
    carried: dict[str, NDArray[np.float32]] = {}  # the factors of each layer's output channels
    for layer in classifier.layers:
        own = copy.get_layer(layer.name)
        read = [carried[source.name] for source in sources[layer.name]]
        if type(layer) is layers.Conv2D:
            mine = factors.get(layer.name, np.ones(layer.filters, np.float32))
            incoming = read[0] if layer.groups == 1 else np.ones(layer.kernel.shape[2], np.float32)
            own.kernel.assign(np.asarray(own.kernel) / incoming[:, None] * mine)
            if own.bias is not None:
                own.bias.assign(np.asarray(own.bias) * mine)
            carried[layer.name] = mine
        elif isinstance(layer, layers.BatchNormalization):
            own.moving_mean.assign(np.asarray(own.moving_mean) * read[0])
            if own.center:
                own.beta.assign(np.asarray(own.beta) * read[0])
            carried[layer.name] = read[0]
        elif isinstance(layer, layers.Concatenate):
            carried[layer.name] = np.concatenate(read)
        elif read and _is_homogeneous(layer):
            carried[layer.name] = read[0]
        else:  # nothing scaled arrives here or leaves
            carried[layer.name] = np.ones(layer.output.shape[-1], np.float32)
    return copy
