"""Networks pretrained on ImageNet, by name: how each is built, what it takes, and where its weights come from.

Every backbone here is a flat functional Keras model from float32 RGB photos in 0…255 (batch, size, size, 3) to a
feature map (batch, h, w, c) that is not negative, with the scaling it was trained with inside the graph. Flat, because
tf-keras-vis does not see into nested models.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
from keras import layers

WEIGHTS_VARIABLE = "FLOWERS_WEIGHTS_DIR"


class WeightsMissing(RuntimeError):
    """ImageNet weights that can be had neither from a folder nor by download; the message names the file."""


@dataclass(frozen=True)
class Backbone:
    """One entry of the registry.

    size: side of the square input, pixels. scale, offset: input scaling, x · scale + offset.
    build: from a scaled tensor to the feature map, weights random.
    weights_file: the file in the weights folder, in Keras' `.weights.h5` format.
    download: a keras.applications builder with include_top=False that can fetch the same weights, or None.
    cut: the name of the layer the downloaded network is cut at, or None for its end.
    whole: the network whose weights the file holds when this one is the beginning of it, else None.
    """

    name: str
    size: int
    scale: float
    offset: float
    build: Callable[[keras.KerasTensor], keras.KerasTensor]
    weights_file: str
    download: Callable[..., keras.Model] | None = None
    cut: str | None = None
    whole: Callable[[keras.KerasTensor], keras.KerasTensor] | None = None


def default_weights_dir() -> Path:
    """FLOWERS_WEIGHTS_DIR, or `weights/` of this project."""
    return Path(os.environ.get(WEIGHTS_VARIABLE) or Path(__file__).resolve().parents[2] / "weights")


def build_backbone(name: str, *, weights_dir: Path | None, size: int | None = None) -> keras.Model:
    """A backbone with its ImageNet weights, or with random ones when `weights_dir` is None.

    The weights come from `weights_dir` when the file is there, else from Keras' own download.
    Raises ValueError for a name that is not in the registry, WeightsMissing when the weights cannot be had.
    """
    if name not in BACKBONES:
        raise ValueError(f"There is no backbone '{name}'; choose one of {', '.join(sorted(BACKBONES))}.")
    backbone = BACKBONES[name]
    side = size or backbone.size
    photos = keras.Input((side, side, 3), name="photo")
    scaled = layers.Rescaling(backbone.scale, offset=backbone.offset, name="scaling")(photos)
    model = keras.Model(photos, backbone.build(scaled), name=name)
    if weights_dir is not None:
        _load_imagenet(model, backbone, weights_dir)
    return model


def _load_imagenet(model: keras.Model, backbone: Backbone, weights_dir: Path) -> None:
    path = weights_dir / backbone.weights_file
    # The files were saved from networks without a scaling layer, so they are read into one of that shape.
    plain_input = keras.Input(model.input_shape[1:])
    plain = keras.Model(plain_input, (backbone.whole or backbone.build)(plain_input))
    if path.is_file():
        plain.load_weights(path)
    elif backbone.download is None:
        raise WeightsMissing(
            f"The ImageNet weights of {backbone.name} are missing: put {backbone.weights_file} into {weights_dir} "
            f"or name its folder in {WEIGHTS_VARIABLE}."
        )
    else:
        try:
            whole = backbone.download(include_top=False, weights="imagenet", input_shape=plain.input_shape[1:])
        except Exception as error:  # Keras wraps whatever its download met into a bare Exception.
            raise WeightsMissing(
                f"The ImageNet weights of {backbone.name} could not be downloaded ({error}), and "
                f"{backbone.weights_file} is not in {weights_dir}; put it there or name its folder in "
                f"{WEIGHTS_VARIABLE}."
            ) from error
        output = whole.get_layer(backbone.cut).output if backbone.cut else whole.output
        plain.set_weights(keras.Model(whole.input, output).get_weights())
    # A network is built from its input on, so the weights of its beginning come first.
    model.set_weights(plain.get_weights()[: len(model.weights)])


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


# (expansion, kernel, stride, repeats, channels) of each stage: Tan & Le 2019, arXiv 1905.11946, Table 1, without
# squeeze-and-excite and with ReLU6 for swish, as the Lite variants have it.
_LITE0_STAGES = (
    (1, 3, 1, 1, 16),
    (6, 3, 2, 2, 24),
    (6, 5, 2, 2, 40),
    (6, 3, 2, 3, 80),
    (6, 5, 1, 3, 112),
    (6, 5, 2, 4, 192),
    (6, 3, 1, 1, 320),
)


def _efficientnet_lite0(x: keras.KerasTensor) -> keras.KerasTensor:
    x = _relu6(layers.Conv2D(32, 3, strides=2, padding="same")(x))
    for expand, kernel, stride, repeats, filters in _LITE0_STAGES:
        for repeat in range(repeats):
            x = _inverted_residual(x, expand, kernel, stride if repeat == 0 else 1, filters)
    return _relu6(layers.Conv2D(1280, 1, padding="same")(x))


def _efficientnet_lite0_beginning(blocks: int) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """So many of its 16 blocks, and the widened half of the next: a feature map that is not negative, as its own is."""
    shapes = [
        (expand, kernel, stride if repeat == 0 else 1, filters)
        for expand, kernel, stride, repeats, filters in _LITE0_STAGES
        for repeat in range(repeats)
    ]

    def build(x: keras.KerasTensor) -> keras.KerasTensor:
        x = _relu6(layers.Conv2D(32, 3, strides=2, padding="same")(x))
        for expand, kernel, stride, filters in shapes[:blocks]:
            x = _inverted_residual(x, expand, kernel, stride, filters)
        expand, kernel, stride, _ = shapes[blocks]
        return _widened(x, expand, kernel, stride)

    return build


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
        Backbone(
            "efficientnet_lite0",
            size=224,
            scale=1 / 128,
            offset=-127 / 128,
            build=_efficientnet_lite0,
            weights_file="efficientnet_lite0_imagenet_notop.weights.h5",
        ),
        Backbone(
            "efficientnet_lite0_13_blocks",
            size=224,
            scale=1 / 128,
            offset=-127 / 128,
            build=_efficientnet_lite0_beginning(13),
            weights_file="efficientnet_lite0_imagenet_notop.weights.h5",
            whole=_efficientnet_lite0,
        ),
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
