"""Bias correction before INT8 quantization: biases undo the mean shift that rounding the weights causes.

Rounding a kernel changes each of its weights by up to half a step. Inputs behind a ReLU are never negative, so the
changes do not cancel: on every photo, an output channel moves by the mean input times the sum of its rounding errors.
The mean shift is measured on the representative dataset and subtracted (Nagel et al. 2019, arXiv 1906.04721, section
4.2, who compute it from the statistics of batch normalization). It costs no byte and no time.
"""

from collections.abc import Collection

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.quantization.weight_rounding import round_to_int8

_BATCH = 8


def bias_corrected(
    classifier: keras.Model, photos: NDArray[np.uint8], *, leave_out: Collection[str] = ()
) -> keras.Model:
    """A copy of a classifier with corrected biases, to convert to INT8. Its float answers are off by the corrections.

    Convolutions with neither a bias nor a batch normalization behind them stay as they are.

    Args:
        classifier: flat and functional.
        photos: the representative dataset, (n, size, size, 3) uint8; a hundred or more.
        leave_out: names of other convolutions that stay as they are.
    """
    copy = keras.models.clone_model(classifier)
    copy.set_weights(classifier.get_weights())
    targets = {
        layer.name: target
        for layer in classifier.layers
        if _is_convolution(layer) and layer.name not in leave_out and (target := _corrected_in(classifier, layer))
    }
    for name, shift in mean_shifts(classifier, list(targets), photos).items():
        target = copy.get_layer(targets[name])
        # A batch normalization subtracts its mean from what the convolution writes.
        variable, sign = (
            (target.moving_mean, 1) if isinstance(target, keras.layers.BatchNormalization) else (target.bias, -1)
        )
        variable.assign(np.asarray(variable) + sign * shift)
    return copy


def mean_shifts(classifier: keras.Model, names: list[str], photos: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """The mean shift of each output channel that rounding the kernel causes.

    Args:
        classifier: flat and functional.
        names: of the convolutions.
        photos: the representative dataset, (n, size, size, 3) uint8.

    Returns:
        (channels,) float32 by the convolution's name.
    """
    if not names:
        return {}
    network = keras.Model(classifier.input, {name: _mean_error(classifier.get_layer(name)) for name in names})
    totals = dict.fromkeys(names, 0.0)
    for start in range(0, len(photos), _BATCH):
        for name, error in network(photos[start : start + _BATCH].astype(np.float32)).items():
            totals[name] += np.asarray(error, np.float64).sum(axis=0)
    return {name: np.asarray(total / len(photos), np.float32) for name, total in totals.items()}


def _mean_error(layer: keras.Layer) -> keras.KerasTensor:
    """The mean over positions of a convolution's output, with the kernel's rounding errors as its kernel."""
    config = layer.get_config() | {"use_bias": False, "activation": "linear", "name": f"{layer.name}_rounding"}
    twin = type(layer).from_config(config)
    error = keras.ops.mean(twin(layer.input), axis=(1, 2))
    kernel = np.asarray(layer.kernel)
    twin.kernel.assign(round_to_int8(kernel, depthwise=isinstance(layer, keras.layers.DepthwiseConv2D)) - kernel)
    return error


def _corrected_in(classifier: keras.Model, layer: keras.Layer) -> str | None:
    """The name of the layer that can subtract the shift: the convolution, or its only reader if that normalizes."""
    if layer.bias is not None:
        return layer.name
    readers = [
        other
        for other in classifier.layers
        if any(tensor is layer.output for tensor in keras.tree.flatten(other.input))
    ]
    if len(readers) == 1 and isinstance(readers[0], keras.layers.BatchNormalization):
        return readers[0].name
    return None


def _is_convolution(layer: keras.Layer) -> bool:
    return type(layer) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
