"""How INT8 holds the weights of a layer: 127 steps to either side, one step size an output channel."""

from typing import Any

import keras
from numpy.typing import NDArray

_LEVELS = 127  # symmetric INT8 without −128, as TensorFlow Lite has it for weights


def rounded(kernel: NDArray | Any, *, depthwise: bool = False) -> Any:
    """A kernel (…, out), or (h, w, in, 1) if depthwise, on its steps: a tensor of the same shape; arrays do as well."""
    ops = keras.ops
    axes = (0, 1) if depthwise else tuple(range(len(kernel.shape) - 1))
    step = ops.max(ops.abs(kernel), axis=axes, keepdims=True) / _LEVELS
    return ops.round(kernel / ops.where(step > 0, step, 1.0)) * step


def straight_through(kernel: Any, *, depthwise: bool = False) -> Any:
    """The rounded kernel, whose gradient passes to the kernel as if it were not rounded.

    The straight-through estimator (Bengio et al. 2013, arXiv 1308.3432), as quantization-aware training has it (Jacob
    et al. 2018, arXiv 1712.05877).
    """
    return kernel + keras.ops.stop_gradient(rounded(kernel, depthwise=depthwise) - kernel)
