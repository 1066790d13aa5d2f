"""Keras classifier → TFLite, in four precisions, each with the outputs logits, features and embedding.

Post-training quantization as TensorFlow's converter does it (Jacob et al. 2018, arXiv 1712.05877): INT8 has weights per
channel and activations per tensor, with ranges seen on calibration photos. Every model takes one uint8 RGB photo
(1, size, size, 3) and answers in float32, whatever it computes in.
"""

from flowers_core.quiet import quiet
from flowers_core.training.classifier import three_outputs

# isort: split
# After the training package, which keeps TensorFlow's start-up lines off the terminal.
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

PRECISIONS = ("float32", "float16", "dynamic", "int8")


class QuantizationError(RuntimeError):
    """A conversion that failed or gave a model this project cannot serve; the message says why."""


def convert(classifier: keras.Model, precision: str, calibration: NDArray[np.uint8] | None = None) -> bytes:
    """Convert a float32 classifier to a TFLite model's bytes.

    precision: "float32", "float16" (weights in half precision), "dynamic" (INT8 weights, float activations) or "int8"
    (INT8 throughout).
    calibration: (n, size, size, 3) uint8 training photos, needed for "int8" only; a hundred or more.
    Raises ValueError for arguments that do not fit, QuantizationError when the converter fails.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"There is no precision '{precision}'; choose one of {', '.join(PRECISIONS)}.")
    if (precision == "int8") != (calibration is not None):
        raise ValueError("Calibration photos are needed for int8 and for nothing else.")
    # INT8 gets its uint8 input from the converter, which needs a float graph to see ranges in.
    served = _served(classifier, "float32" if precision == "int8" else "uint8")
    with quiet() as said:
        try:
            converter = tf.lite.TFLiteConverter.from_keras_model(served)
            if precision != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if precision == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if calibration is not None:
                converter.representative_dataset = lambda: ([photo[None].astype(np.float32)] for photo in calibration)
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = tf.uint8
            model = converter.convert()
        except Exception as error:  # The converter raises many kinds; all mean that there is no model.
            raise QuantizationError(f"The {precision} conversion failed: {error}\n{said()}") from error
    if precision == "int8":
        _check_input(model)
    return model


def _served(classifier: keras.Model, dtype: str) -> keras.Model:
    """The three-output network for one photo at a time, which is what fixes the shapes the converter optimizes for."""
    photo = keras.Input(classifier.input_shape[1:], batch_size=1, dtype=dtype, name="photo")
    return keras.Model(photo, three_outputs(classifier)(keras.ops.cast(photo, "float32")))


def _check_input(model: bytes) -> None:
    """A uint8 photo must go in as it is, scale 1 and zero point 0: calibration must have seen 0 and 255."""
    from ai_edge_litert.interpreter import Interpreter

    scale, zero_point = Interpreter(model_content=model).get_input_details()[0]["quantization"]
    if abs(scale - 1.0) > 1e-6 or zero_point != 0:
        raise QuantizationError(
            f"The calibration photos do not reach from 0 to 255 (input scale {scale:.5f}, zero point {zero_point}); "
            "take more of them."
        )
