"""Fake quantization: an INT8 network simulated in float, so that it can be trained.

Weights get their 127 steps, and activations the 256 levels of the range that the representative dataset reached (Jacob
et al. 2018, arXiv 1712.05877). The gradient passes both unchanged, except where a value was clipped. Mean and linear
layer stay exact, as in the models that are served (`float_head`).

tensorflow-model-optimization has a tool for this, written for Keras 2; it was not tried here.
"""

from collections.abc import Collection
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from flowers_core.networks.classifier import FEATURES
from flowers_core.networks.compiled import compiled
from flowers_core.quantization.scale_groups import CONVOLUTIONS, keeps_scale, ranges_of_groups, scale_groups
from flowers_core.quantization.weight_rounding import round_to_int8

_BATCH = 8
Ranges = dict[str, tuple[float, float]]


class FakeQuantize(layers.Layer):
    """Rounds to 256 levels between two values, of which zero is one, and clips beyond them."""

    def __init__(self, low: float, high: float, **options: Any) -> None:
        """A layer without weights.

        Args:
            low: the lowest level, at most 0.
            high: the highest level, at least 0.
            **options: of every Keras layer.
        """
        super().__init__(**options)
        self.low, self.high = low, high

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """(…) float32 → (…) float32."""
        return tf.quantization.fake_quant_with_min_max_args(values, self.low, self.high, num_bits=8)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The same shape."""
        return shape

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {**super().get_config(), "low": self.low, "high": self.high}


def activation_ranges(classifier: keras.Model, photos: NDArray[np.uint8]) -> Ranges:
    """The range of each quantized layer's output, (lowest, highest) by the layer's name.

    Layers of one scale group share a range. Layers behind the features are left out.

    Args:
        classifier: flat and functional.
        photos: the representative dataset, (n, size, size, 3) uint8.
    """
    groups = scale_groups(classifier)
    names = [layer.name for layer in classifier.layers]
    head = names[names.index(FEATURES) + 1 :]
    groups = {name: group for name, group in groups.items() if name not in head}
    outputs = [classifier.get_layer(name).output for name in groups]
    bounds = keras.ops.stack([keras.ops.stack([keras.ops.min(t), keras.ops.max(t)]) for t in outputs])
    run = compiled(keras.Model(classifier.input, bounds))
    found = np.stack([run(photos[start : start + _BATCH]) for start in range(0, len(photos), _BATCH)])
    lowest, highest = found[:, :, 0].min(axis=0).tolist(), found[:, :, 1].max(axis=0).tolist()
    return ranges_of_groups(groups, dict(zip(groups, lowest, strict=True)), dict(zip(groups, highest, strict=True)))


def fake_quantized(classifier: keras.Model, ranges: Ranges, *, exact: Collection[str] = ()) -> keras.Model:
    """A copy that answers as INT8 will: rounded kernels, and a FakeQuantize behind each layer of `ranges`.

    Args:
        classifier: flat and functional.
        ranges: as `activation_ranges` returns them; an empty dict leaves activations exact.
        exact: names of layers whose kernels stay exact, because training rounds them at each step.
    """

    def call(layer: keras.Layer, *inputs: Any, **options: Any) -> Any:
        output = layer(*inputs, **options)
        if layer.name not in ranges or _adds_no_rounding(layer):
            return output
        low, high = ranges[layer.name]
        return FakeQuantize(low, high, name=f"{layer.name}_rounded")(output) if high > low else output

    copy = keras.models.clone_model(classifier, call_function=call)
    copy_weights(classifier, copy)
    copy.trainable = True  # a network that was fine-tuned keeps what was frozen then
    for layer in copy.layers:
        if isinstance(layer, CONVOLUTIONS) and layer.name not in exact:
            layer.kernel.assign(round_to_int8(layer.kernel, depthwise=is_depthwise(layer)))
    return copy


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights of every layer that both networks have.

    Args:
        source: network to copy from.
        target: network whose layers of the same names are set.
    """
    names = {layer.name for layer in target.layers}
    for layer in source.layers:
        if layer.weights and layer.name in names:
            target.get_layer(layer.name).set_weights(layer.get_weights())


def is_depthwise(layer: keras.Layer) -> bool:
    """Whether a convolution is depthwise, so that its kernel's third axis holds the output channels."""
    return isinstance(layer, layers.DepthwiseConv2D)


def _adds_no_rounding(layer: keras.Layer) -> bool:
    """Whether a layer only moves values of its input, which are rounded already."""
    return keeps_scale(layer) and not isinstance(layer, layers.AveragePooling2D)
