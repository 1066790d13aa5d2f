"""EfficientNet-Lite's ImageNet weights, converted from PyTorch's names and layouts to Keras'.

In inference a convolution and the batch normalization after it are one convolution with a bias (Jacob et al. 2018,
arXiv 1712.05877, section 3.2). The backbones here are built of such convolutions.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.networks.torch_weights import TorchFileError

EPSILON = 1e-3  # of every batch normalization in these networks

State = Mapping[str, NDArray[Any]]


def folded(
    kernel: NDArray[np.floating],
    scale: NDArray[np.floating],
    shift: NDArray[np.floating],
    mean: NDArray[np.floating],
    variance: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold a batch normalization into the convolution without a bias before it.

    Args:
        kernel: (out, in, h, w), or (channels, 1, h, w) where it is depthwise.
        scale, shift, mean, variance: (out,) each, of the batch normalization. PyTorch calls the first two weight and
            bias.

    Returns:
        The kernel, of the same shape, and the bias (out,), both computed in float64.
    """
    factor = scale.astype(np.float64) / np.sqrt(variance.astype(np.float64) + EPSILON)
    bias = shift.astype(np.float64) - mean.astype(np.float64) * factor
    return (kernel.astype(np.float64) * factor[:, None, None, None]).astype(np.float32), bias.astype(np.float32)


def backbone_weights(state: State) -> list[NDArray[np.float32]]:
    """Kernel and bias of each convolution from the photo to the last feature map, in Keras' layout.

    Args:
        state: the tensors of an EfficientNet-Lite by PyTorch's names.

    Returns:
        For each convolution its kernel, then its bias (out,), float32. A kernel is (h, w, in, out), or (h, w, channels,
        1) if the convolution is depthwise.

    Raises:
        TorchFileError: a tensor is missing.
    """
    weights = []
    for convolution, normalization in _pairs(state):
        kernel = _named(state, f"{convolution}.weight")
        numbers = (
            _named(state, f"{normalization}.{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        kernel, bias = folded(kernel, *numbers)
        depthwise = convolution.endswith("_depthwise_conv")
        weights += [
            np.ascontiguousarray(kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(2, 3, 1, 0)),
            bias,
        ]
    return weights


def head_weights(state: State) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The linear layer to ImageNet's classes: kernel (channels, classes) and bias (classes,), float32.

    Raises:
        TorchFileError: one of them is missing.
    """
    kernel, bias = _named(state, "_fc.weight"), _named(state, "_fc.bias")
    return np.ascontiguousarray(kernel.T, np.float32), np.ascontiguousarray(bias, np.float32)


def _pairs(state: State) -> Iterator[tuple[str, str]]:
    """The names of the convolutions in the network's order, each with that of its batch normalization."""
    yield "_conv_stem", "_bn0"
    blocks = {int(name.split(".")[1]) for name in state if name.startswith("_blocks.")}
    for block in (f"_blocks.{number}." for number in sorted(blocks)):
        if f"{block}_expand_conv.weight" in state:
            yield f"{block}_expand_conv", f"{block}_bn0"
        yield f"{block}_depthwise_conv", f"{block}_bn1"
        yield f"{block}_project_conv", f"{block}_bn2"
    yield "_conv_head", "_bn1"


def _named(state: State, name: str) -> NDArray[Any]:
    if name not in state:
        raise TorchFileError(f"The file has no tensor {name}; it is not an EfficientNet-Lite's.")
    return state[name]
