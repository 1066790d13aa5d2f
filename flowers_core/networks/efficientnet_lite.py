"""The EfficientNet-Lite architecture at any width and depth, its batch normalizations folded into biases."""

import math
from collections.abc import Callable, Sequence

import keras
from keras import layers

# (expansion, kernel, stride, repeats, channels) of each stage of EfficientNet-B0: Tan & Le 2019, arXiv 1905.11946,
# Table 1, without squeeze-and-excite and with ReLU6 for swish, as the Lite variants have it.
_LITE_STAGES = (
    (1, 3, 1, 1, 16),
    (6, 3, 2, 2, 24),
    (6, 5, 2, 2, 40),
    (6, 3, 2, 3, 80),
    (6, 5, 1, 3, 112),
    (6, 5, 2, 4, 192),
    (6, 3, 1, 1, 320),
)


def lite_blocks(width: float, depth: float) -> list[tuple[int, int, int, int]]:
    """(expansion, kernel, stride, channels) of each block of an EfficientNet-Lite, from first to last.

    Args:
        width: factor on the channels. The result is rounded to a multiple of 8, never down by more than a tenth.
        depth: factor on the blocks of a stage, rounded up. The first and the last stage keep their one block.
    """
    blocks = []
    for number, (expand, kernel, stride, repeats, channels) in enumerate(_LITE_STAGES):
        wanted = channels * width
        filters = max(8, int(wanted + 4) // 8 * 8)
        filters += 8 if filters < 0.9 * wanted else 0
        times = repeats if number in (0, len(_LITE_STAGES) - 1) else math.ceil(depth * repeats)
        blocks += [(expand, kernel, stride if repeat == 0 else 1, filters) for repeat in range(times)]
    return blocks


def efficientnet_lite(
    width: float, depth: float, beginning: int | None = None
) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """A function that builds an EfficientNet-Lite, whole or its beginning, with random weights.

    Either way the feature map ends in a ReLU6 and is not negative. The first and the last convolution are the same at
    every width.

    Args:
        width: factor on the channels of the blocks.
        depth: factor on the blocks of a stage.
        beginning: how many of the first blocks are built, and after them the expanding half of the next; None for all
            blocks and the last convolution.

    Returns:
        Scaled photos (n, h, w, 3) → the feature map.
    """
    blocks = lite_blocks(width, depth)

    def build(x: keras.KerasTensor) -> keras.KerasTensor:
        x = _in_turn(_stem(x), blocks[:beginning])
        if beginning is None:
            return _last_convolution(x)
        expand, kernel, stride, _ = blocks[beginning]
        return _widened(x, expand, kernel, stride)

    return build


def branched_lite(
    width: float, depth: float, *, shared: int, branches: int
) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """A function that builds EfficientNet-Lites that share their first blocks, with random weights.

    Args:
        width: factor on the channels of the blocks.
        depth: factor on the blocks of a stage.
        shared: how many of the first blocks are shared. Each branch has the others and a last convolution of its own.
        branches: how many.

    Returns:
        Scaled photos (n, h, w, 3) → the branches' feature maps side by side, 1280 channels each.
    """
    blocks = lite_blocks(width, depth)

    def build(x: keras.KerasTensor) -> keras.KerasTensor:
        x = _in_turn(_stem(x), blocks[:shared])
        return layers.Concatenate()([_last_convolution(_in_turn(x, blocks[shared:])) for _ in range(branches)])

    return build


def _stem(x: keras.KerasTensor) -> keras.KerasTensor:
    return _relu6(layers.Conv2D(32, 3, strides=2, padding="same")(x))


def _in_turn(x: keras.KerasTensor, blocks: Sequence[tuple[int, int, int, int]]) -> keras.KerasTensor:
    for expand, kernel, stride, filters in blocks:
        x = _inverted_residual(x, expand, kernel, stride, filters)
    return x


def _last_convolution(x: keras.KerasTensor) -> keras.KerasTensor:
    return _relu6(layers.Conv2D(1280, 1, padding="same")(x))


def _relu6(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU(6.0)(x)


def _inverted_residual(x: keras.KerasTensor, expand: int, kernel: int, stride: int, filters: int) -> keras.KerasTensor:
    entry, channels = x, x.shape[-1]
    x = layers.Conv2D(filters, 1, padding="same")(_widened(x, expand, kernel, stride))
    return layers.Add()([entry, x]) if stride == 1 and channels == filters else x


def _widened(x: keras.KerasTensor, expand: int, kernel: int, stride: int) -> keras.KerasTensor:
    """The first half of an inverted residual: a convolution to more channels, and a depthwise one."""
    if expand != 1:
        x = _relu6(layers.Conv2D(x.shape[-1] * expand, 1, padding="same")(x))
    return _relu6(layers.DepthwiseConv2D(kernel, strides=stride, padding="same")(x))
