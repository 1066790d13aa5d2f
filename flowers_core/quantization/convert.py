"""Keras classifier → TFLite, in four precisions, each with the outputs logits, features and embedding.

Post-training quantization as TensorFlow's converter does it (Jacob et al. 2018, arXiv 1712.05877): INT8 has weights per
channel and activations per tensor, with ranges seen on calibration photos. Around it: channels are evened out before
(`equalization`), biases corrected for what rounding the weights shifts (`bias_correction`), and mean and linear layer
computed in float behind (`float_head`). Every model takes one uint8 RGB photo (1, size, size, 3) and answers in
float32, whatever it computes in.
"""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.networks.classifier import three_outputs
from flowers_core.networks.quiet import quiet
from flowers_core.quantization.bias_correction import bias_corrected
from flowers_core.quantization.compact import compact
from flowers_core.quantization.equalization import SHARE, equalized
from flowers_core.quantization.float_head import with_float_head
from flowers_core.quantization.float_layers import keras_layers_of, nodes_of

PRECISIONS = ("float32", "float16", "dynamic", "int8")


@dataclass(frozen=True)
class LayerNoise:
    """One layer's signal to quantization noise in decibels; `layer` is its name in the converted graph."""

    layer: str
    operation: str
    decibels: float


class QuantizationError(FlowersError):
    """A conversion that failed or gave a model this project cannot serve; the message says why."""


def convert(
    classifier: keras.Model,
    precision: str,
    calibration: NDArray[np.uint8] | None = None,
    *,
    float_layers: Sequence[str] = (),
    share: float = SHARE,
) -> bytes:
    """Convert a float32 classifier to a TFLite model's bytes.

    precision: "float32", "float16" (weights in half precision), "dynamic" (INT8 weights, float activations) or "int8"
    (INT8 from the photo to the features).
    calibration: (n, size, size, 3) uint8 training photos, needed for "int8" only; a hundred or more.
    float_layers: for "int8", layers to leave in float, by the names that `layer_noise` gives them.
    share: for "int8", how far to even out channels before, from 0 to 1 (`equalization`).
    Raises ValueError for arguments that do not fit, QuantizationError when the converter fails.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"There is no precision '{precision}'; choose one of {', '.join(PRECISIONS)}.")
    if (precision == "int8") != (calibration is not None):
        raise ValueError("Calibration photos are needed for int8 and for nothing else.")
    if float_layers and precision != "int8":
        raise ValueError("Only an int8 model can leave layers in float.")
    with quiet() as said:
        try:
            if calibration is not None:
                left_out = keras_layers_of(float_layers, classifier)
                classifier = equalized(classifier, calibration, share=share)
                classifier = bias_corrected(classifier, calibration, leave_out=left_out)
            if float_layers:
                model = _with_float_layers(classifier, calibration, float_layers)
            else:
                model = _converter(classifier, precision, calibration).convert()
            if precision == "int8":
                model = with_float_head(model)
        except Exception as error:  # The converter raises many kinds; all mean that there is no model.
            raise QuantizationError(f"The {precision} conversion failed: {error}\n{said()}") from error
    if precision == "int8" and not float_layers:
        _check_input(model)
    return compact(model) if precision in ("dynamic", "int8") else model


def layer_noise(
    classifier: keras.Model, calibration: NDArray[np.uint8], photos: NDArray[np.uint8], *, share: float = SHARE
) -> list[LayerNoise]:
    """How much noise INT8 puts on each layer's activations, the noisiest first, in the graph that `convert` makes.

    Float and integer activations of the same photos (n, size, size, 3) uint8, compared by TensorFlow's
    QuantizationDebugger, each layer given float inputs so that a layer is blamed for its own rounding only. The ratio
    is computed photo by photo, and its mean in decibels given. share: as in `convert`. Raises QuantizationError when
    the converter fails.
    """
    options = tf.lite.experimental.QuantizationDebugOptions(
        layer_direct_compare_metrics={"sqnr": _signal_to_noise},
    )
    with quiet() as said:
        try:
            even = equalized(classifier, calibration, share=share)
            converted = tf.lite.experimental.QuantizationDebugger(
                converter=_converter(even, "int8", calibration),
                debug_dataset=lambda: _as_input(photos),
                debug_options=options,
            )
            # Given a converter, TensorFlow 2.21 reads tensors whose memory later layers have used again; given the
            # model that it converted, it keeps them all.
            debugger = tf.lite.experimental.QuantizationDebugger(
                quant_debug_model_content=converted.get_debug_quantized_model(),
                debug_dataset=lambda: _as_input(photos),
                debug_options=options,
            )
            debugger.run()
            report = io.StringIO()
            debugger.layer_statistics_dump(report)
        except Exception as error:
            raise QuantizationError(f"The layers could not be compared: {error}\n{said()}") from error
    rows = csv.DictReader(io.StringIO(report.getvalue()))
    noise = [LayerNoise(row["tensor_name"], row["op_name"], float(row["sqnr"])) for row in rows]
    return sorted(noise, key=lambda layer: layer.decibels)


def _converter(classifier: keras.Model, precision: str, calibration: NDArray[np.uint8] | None) -> Any:
    # INT8 gets its uint8 input from the converter, which needs a float graph to see ranges in.
    served = _served(classifier, "float32" if precision == "int8" else "uint8")
    converter = tf.lite.TFLiteConverter.from_keras_model(served)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if calibration is not None:
        converter.representative_dataset = lambda: _as_input(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    return converter


def _with_float_layers(classifier: keras.Model, calibration: NDArray[np.uint8] | None, layers: Sequence[str]) -> bytes:
    """INT8 but for some layers. The debugger cannot make the input uint8, so here the graph casts it itself."""
    assert calibration is not None
    served = _served(classifier, "uint8")
    graph = Interpreter(model_content=tf.lite.TFLiteConverter.from_keras_model(served).convert()).get_tensor_details()
    nodes = nodes_of(layers, (tensor["name"] for tensor in graph))
    converter = tf.lite.TFLiteConverter.from_keras_model(served)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([photo[None]] for photo in calibration)
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=lambda: ([photo[None]] for photo in calibration[:1]),
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
    """A uint8 photo must go in as it is, scale 1 and zero point 0: calibration must have seen 0 and 255."""
    scale, zero_point = Interpreter(model_content=model).get_input_details()[0]["quantization"]
    if abs(scale - 1.0) > 1e-6 or zero_point != 0:
        raise QuantizationError(
            f"The calibration photos do not reach from 0 to 255 (input scale {scale:.5f}, zero point {zero_point}); "
            "take more of them."
        )
