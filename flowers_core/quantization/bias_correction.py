"""Bias correction before INT8 quantization: what rounding the weights shifts on average is taken back in the biases.

Rounding a kernel changes each of its weights by up to half a step. Inputs behind a ReLU are never negative, so the
changes do not cancel: every output channel moves by the mean input times the sum of its rounding errors, on every photo
alike. The mean shift is measured on calibration photos and subtracted (Nagel et al. 2019, arXiv 1906.04721, section
4.2, there from the statistics of batch normalization). It costs no byte and no time.
"""

from collections.abc import Collection

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.quantization.weight_rounding import rounded

_BATCH = 8


def bias_corrected(
    classifier: keras.Model, photos: NDArray[np.uint8], *, leave_out: Collection[str] = ()
) -> keras.Model:
    """A copy of a flat functional classifier to convert to INT8; its float answers are off by the shifts it undoes.

    photos: (n, size, size, 3), calibration photos; a hundred or more. leave_out: names of convolutions to leave as they
    are. Convolutions with neither a bias nor a batch normalization behind them are left too.
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
    """By how much rounding its kernel moves each output channel of each named convolution, on average: (channels,)."""
    if not names:
        return {}
    network = keras.Model(classifier.input, {name: _mean_error(classifier.get_layer(name)) for name in names})
    totals = dict.fromkeys(names, 0.0)
    for start in range(0, len(photos), _BATCH):
        for name, error in network(photos[start : start + _BATCH].astype(np.float32)).items():
            totals[name] += np.asarray(error, np.float64).sum(axis=0)
    return {name: np.asarray(total / len(photos), np.float32) for name, total in totals.items()}


def _mean_error(layer: keras.Layer) -> keras.KerasTensor:
    """The mean over positions of what a convolution would answer with its kernel's rounding errors for weights."""
    config = layer.get_config() | {"use_bias": False, "activation": "linear", "name": f"{layer.name}_rounding"}
    twin = type(layer).from_config(config)
    error = keras.ops.mean(twin(layer.input), axis=(1, 2))
    kernel = np.asarray(layer.kernel)
    twin.kernel.assign(rounded(kernel, depthwise=isinstance(layer, keras.layers.DepthwiseConv2D)) - kernel)
    return error


def _corrected_in(classifier: keras.Model, layer: keras.Layer) -> str | None:
    """The name of the layer that can take the shift back."""
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
