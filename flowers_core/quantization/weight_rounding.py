"""INT8 weights: 127 steps to either side of zero, with one step size for each output channel."""

from typing import Any

import keras
from numpy.typing import NDArray

_LEVELS = 127  # symmetric INT8 without −128, as TensorFlow Lite has it for weights


def round_to_int8(kernel: NDArray | Any, *, depthwise: bool = False) -> Any:
    """Round every weight of a kernel to the nearest step of INT8, still in float.

    Args:
        kernel: (…, out), or (h, w, in, 1) if depthwise; a tensor or an array.
        depthwise: whether the output channels are the third axis.

    Returns:
        A tensor of the same shape. Rounding it again changes nothing.
    """
    ops = keras.ops
    axes = (0, 1) if depthwise else tuple(range(len(kernel.shape) - 1))
    step = ops.max(ops.abs(kernel), axis=axes, keepdims=True) / _LEVELS
    return ops.round(kernel / ops.where(step > 0, step, 1.0)) * step


def straight_through(kernel: Any, *, depthwise: bool = False) -> Any:
    """The rounded kernel, with the gradient of the kernel itself.

    This is the straight-through estimator (Bengio et al. 2013, arXiv 1308.3432), as in quantization-aware training
    (Jacob et al. 2018, arXiv 1712.05877).

    Args:
        kernel, depthwise: as for `round_to_int8`.
    """
    return kernel + keras.ops.stop_gradient(round_to_int8(kernel, depthwise=depthwise) - kernel)
