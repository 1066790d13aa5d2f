"""Keras classifier → TFLite, in four numeric formats, each with the outputs logits, features and embedding.

INT8 is post-training quantization as TensorFlow's converter does it (Jacob et al. 2018, arXiv 1712.05877): weights per
channel and activations per tensor, with ranges from a representative dataset. Three steps of our own go with it.
Before the conversion, `equalization` makes the ranges of channels more equal and `bias_correction` undoes the mean
shifts of rounding. After it, `float_head` puts mean and linear layer back into float. Every model takes one uint8
RGB photo (1, size, size, 3) and answers in float32.
"""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from tensorflow.lite.python.convert import ConverterError

from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import PRECISIONS
from flowers_core.networks.classifier import three_outputs
from flowers_core.networks.quiet import quiet
from flowers_core.quantization.bias_correction import bias_corrected
from flowers_core.quantization.compact import compact
from flowers_core.quantization.equalization import ALPHA, cross_layer_equalized
from flowers_core.quantization.float_head import with_float_head
from flowers_core.quantization.float_layers import keras_layers_of, nodes_of

# The converter raises its own errors, TensorFlow's and Python's; each means that there is no model.
_CONVERTER_ERRORS = (ConverterError, tf.errors.OpError, RuntimeError, ValueError)


@dataclass(frozen=True)
class LayerNoise:
    """One layer's quantization noise.

    Attributes:
        layer: its name in the converted graph.
        operation: its TFLite operation.
        decibels: signal-to-quantization-noise ratio.
    """

    layer: str
    operation: str
    decibels: float


class QuantizationError(FlowersError):
    """A conversion that failed or gave a model this project cannot serve; the message says why."""


def convert(
    classifier: keras.Model,
    numeric_format: str,
    representative: NDArray[np.uint8] | None = None,
    *,
    float_layers: Sequence[str] = (),
    alpha: float = ALPHA,
) -> bytes:
    """Convert a float32 classifier to a TFLite model.

    Args:
        classifier: flat and functional, as `build_classifier` makes it.
        numeric_format: "float32", "float16" (weights in half precision), "dynamic" (INT8 weights, float activations) or
            "int8" (INT8 from the photo to the features).
        representative: for "int8", and only for it: the representative dataset, (n, size, size, 3) uint8 training
            photos, a hundred or more, from which the converter takes the ranges of the activations.
        float_layers: for "int8", layers to leave in float, by the names that `layer_noise` gives them.
        alpha: for "int8", how far to equalize channels first, 0…1 (`equalization`).

    Returns:
        The bytes of the `.tflite` file.

    Raises:
        ValueError: arguments that contradict each other.
        QuantizationError: the converter fails, or the representative dataset does not reach from 0 to 255.
    """
    if numeric_format not in PRECISIONS:
        raise ValueError(f"There is no numeric format '{numeric_format}'; choose one of {', '.join(PRECISIONS)}.")
    if (numeric_format == "int8") != (representative is not None):
        raise ValueError("A representative dataset is needed for int8 and for nothing else.")
    if float_layers and numeric_format != "int8":
        raise ValueError("Only an int8 model can leave layers in float.")
    with quiet() as log:
        try:
            if representative is None:
                model = _converter(classifier, numeric_format).convert()
            else:
                model = _convert_to_int8(classifier, representative, float_layers, alpha)
        except _CONVERTER_ERRORS as error:
            raise QuantizationError(f"The {numeric_format} conversion failed: {error}\n{log()}") from error
    if numeric_format == "int8" and not float_layers:
        _check_input(model)
    return compact(model) if numeric_format in ("dynamic", "int8") else model


def layer_noise(
    classifier: keras.Model, representative: NDArray[np.uint8], photos: NDArray[np.uint8], *, alpha: float = ALPHA
) -> list[LayerNoise]:
    """How much noise INT8 adds to each layer's activations, in the graph that `convert` makes, the noisiest first.

    TensorFlow's QuantizationDebugger compares float and integer activations of the same photos. Each layer gets float
    inputs, so that its figure shows its own rounding only. The figure is the mean of the photos' ratios in decibels.

    Args:
        classifier, representative, alpha: as for `convert`.
        photos: (n, size, size, 3) uint8, to compare on.

    Raises:
        QuantizationError: the converter fails.
    """
    options = tf.lite.experimental.QuantizationDebugOptions(
        layer_direct_compare_metrics={"sqnr": _signal_to_noise},
    )
    with quiet() as log:
        try:
            even = cross_layer_equalized(classifier, representative, alpha=alpha)
            converted = tf.lite.experimental.QuantizationDebugger(
                converter=_converter(even, "int8", representative),
                debug_dataset=lambda: _as_input(photos),
                debug_options=options,
            )
            # Given a converter, TensorFlow 2.21 reads tensors whose memory later layers have reused. Given the model
            # that the converter made, it keeps all tensors.
            debugger = tf.lite.experimental.QuantizationDebugger(
                quant_debug_model_content=converted.get_debug_quantized_model(),
                debug_dataset=lambda: _as_input(photos),
                debug_options=options,
            )
            debugger.run()
            report = io.StringIO()
            debugger.layer_statistics_dump(report)
        except _CONVERTER_ERRORS as error:
            raise QuantizationError(f"The layers could not be compared: {error}\n{log()}") from error
    rows = csv.DictReader(io.StringIO(report.getvalue()))
    noise = [LayerNoise(row["tensor_name"], row["op_name"], float(row["sqnr"])) for row in rows]
    return sorted(noise, key=lambda layer: layer.decibels)


def _convert_to_int8(
    classifier: keras.Model, representative: NDArray[np.uint8], float_layers: Sequence[str], alpha: float
) -> bytes:
    """Equalize channels, correct biases, convert, and put the head back into float."""
    left_out = keras_layers_of(float_layers, classifier)
    equalized = cross_layer_equalized(classifier, representative, alpha=alpha)
    corrected = bias_corrected(equalized, representative, leave_out=left_out)
    if float_layers:
        return with_float_head(_with_float_layers(corrected, representative, float_layers))
    return with_float_head(_converter(corrected, "int8", representative).convert())


def _converter(
    classifier: keras.Model, numeric_format: str, representative: NDArray[np.uint8] | None = None
) -> tf.lite.TFLiteConverter:
    # INT8 gets its uint8 input from the converter, which needs a float graph to see ranges in.
    served = _served(classifier, "float32" if numeric_format == "int8" else "uint8")
    converter = tf.lite.TFLiteConverter.from_keras_model(served)
    if numeric_format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if numeric_format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if representative is not None:
        converter.representative_dataset = lambda: _as_input(representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    return converter


def _with_float_layers(classifier: keras.Model, representative: NDArray[np.uint8], layers: Sequence[str]) -> bytes:
    """INT8 but for some layers. The debugger cannot make the input uint8, so here the graph casts it itself."""
    served = _served(classifier, "uint8")
    graph = Interpreter(model_content=tf.lite.TFLiteConverter.from_keras_model(served).convert()).get_tensor_details()
    nodes = nodes_of(layers, (tensor["name"] for tensor in graph))
    converter = tf.lite.TFLiteConverter.from_keras_model(served)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([photo[None]] for photo in representative)
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=lambda: ([photo[None]] for photo in representative[:1]),
        debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=nodes),
    )
    return debugger.get_nondebug_quantized_model()


def _as_input(photos: NDArray[np.uint8]) -> Iterator[list[NDArray[np.float32]]]:
    for photo in photos:
        yield [photo[None].astype(np.float32)]


def _signal_to_noise(
    exact: NDArray[np.float32], quantized: NDArray[np.integer], scale: float, zero_point: int
) -> float:
    """10 · log10(Σ x² ÷ Σ (x − x̂)²) in decibels, at most 200."""
    noise = exact - (quantized.astype(np.float32) - zero_point) * scale
    signal = float(np.square(exact, dtype=np.float64).sum())
    return 10 * math.log10(
        max(signal, 1e-20) / max(float(np.square(noise, dtype=np.float64).sum()), signal * 1e-20, 1e-40)
    )


def _served(classifier: keras.Model, dtype: str) -> keras.Model:
    """The three-output network for one photo at a time, which is what fixes the shapes the converter optimizes for."""
    photo = keras.Input(classifier.input_shape[1:], batch_size=1, dtype=dtype, name="photo")
    # Named, because the layers of the converted graph are called after it.
    return keras.Model(photo, three_outputs(classifier)(keras.ops.cast(photo, "float32")), name="served")


def _check_input(model: bytes) -> None:
    """Raise QuantizationError unless a uint8 photo goes in as it is, at scale 1 and zero point 0.

    That takes a representative dataset that has both 0 and 255.
    """
    scale, zero_point = Interpreter(model_content=model).get_input_details()[0]["quantization"]
    if abs(scale - 1.0) > 1e-6 or zero_point != 0:
        raise QuantizationError(
            f"The representative dataset does not reach from 0 to 255 (input scale {scale:.5f}, zero point "
            f"{zero_point}); take more photos for it."
        )
