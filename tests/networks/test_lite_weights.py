from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_image

from flowers_core.networks.backbones import BACKBONES, build_backbone
from flowers_core.networks.download import head_file
from flowers_core.networks.lite_weights import backbone_weights, folded, head_weights
from flowers_core.networks.torch_weights import TorchFileError
from flowers_core.storage.npz import read_npz
from flowers_core.storage.paths import default_weights_dir

PALACE = 698  # ImageNet's class, in the order of its synsets


def normalization(rng: np.random.Generator, channels: int) -> dict[str, NDArray[np.float32]]:
    return {
        "weight": rng.uniform(0.5, 2.0, channels).astype(np.float32),
        "bias": rng.normal(0, 0.1, channels).astype(np.float32),
        "running_mean": rng.normal(0, 0.1, channels).astype(np.float32),
        "running_var": rng.uniform(0.1, 3.0, channels).astype(np.float32),
    }


def test_folding_worked_out_by_hand() -> None:
    """(4x − 1) / √(0.249 + 0.001) · 3 + 0.5 = 24x − 5.5."""
    one = np.ones(1, np.float32)
    kernel, bias = folded(np.full((1, 1, 1, 1), 4, np.float32), 3 * one, 0.5 * one, one, 0.249 * one)
    np.testing.assert_allclose(kernel, [[[[24.0]]]], rtol=1e-6)
    np.testing.assert_allclose(bias, [-5.5], rtol=1e-6)


def test_a_network_answers_as_it_did_with_its_batch_normalization() -> None:
    """One block without an expansion and one with it, all layers there are, as Keras computes them unfolded."""
    rng = np.random.default_rng(0)
    shapes = {
        ("_conv_stem", "_bn0"): (8, 3, 3, 3),
        ("_blocks.0._depthwise_conv", "_blocks.0._bn1"): (8, 1, 3, 3),
        ("_blocks.0._project_conv", "_blocks.0._bn2"): (4, 8, 1, 1),
        ("_blocks.1._expand_conv", "_blocks.1._bn0"): (24, 4, 1, 1),
        ("_blocks.1._depthwise_conv", "_blocks.1._bn1"): (24, 1, 5, 5),
        ("_blocks.1._project_conv", "_blocks.1._bn2"): (6, 24, 1, 1),
        ("_conv_head", "_bn1"): (16, 6, 1, 1),
    }
    state: dict[str, NDArray[Any]] = {}
    photos = keras.Input((12, 12, 3))
    with_normalization = without = photos
    unfolded: list[tuple[keras.Layer, keras.Layer]] = []
    for (convolution, batch_norm), shape in shapes.items():
        state[f"{convolution}.weight"] = rng.normal(0, 0.5, shape).astype(np.float32)
        state |= {f"{batch_norm}.{part}": value for part, value in normalization(rng, shape[0]).items()}

        def layer(use_bias: bool, convolution: str = convolution, shape: tuple[int, ...] = shape) -> keras.Layer:
            if convolution.endswith("_depthwise_conv"):
                return layers.DepthwiseConv2D(shape[-1], padding="same", use_bias=use_bias)
            return layers.Conv2D(shape[0], shape[-1], padding="same", use_bias=use_bias)

        unfolded.append((layer(use_bias=False), layers.BatchNormalization(epsilon=1e-3)))
        with_normalization = layers.ReLU(6.0)(unfolded[-1][1](unfolded[-1][0](with_normalization)))
        without = layers.ReLU(6.0)(layer(use_bias=True)(without))
    before, after = keras.Model(photos, with_normalization), keras.Model(photos, without)
    for (convolution, batch_norm), (kernel, normalize) in zip(shapes, unfolded, strict=True):
        weight = state[f"{convolution}.weight"]
        depthwise = convolution.endswith("_depthwise_conv")
        kernel.set_weights([np.moveaxis(weight, (0, 1), (2, 3) if depthwise else (3, 2))])
        normalize.set_weights([state[f"{batch_norm}.{p}"] for p in ("weight", "bias", "running_mean", "running_var")])
    after.set_weights(backbone_weights(state))
    batch = rng.normal(0, 1, (2, 12, 12, 3)).astype(np.float32)
    expected = before(batch, training=False).numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(after(batch, training=False).numpy(), expected, atol=1e-4)


def test_the_head_is_turned_to_channels_by_classes() -> None:
    kernel, bias = head_weights({"_fc.weight": np.arange(6.0).reshape(2, 3), "_fc.bias": np.array([7.0, 8.0])})
    np.testing.assert_array_equal(kernel, [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(bias, [7, 8])
    assert kernel.dtype == bias.dtype == np.float32


def test_a_tensor_that_is_missing_is_named() -> None:
    with pytest.raises(TorchFileError, match=r"no tensor _conv_stem\.weight"):
        backbone_weights({})
    with pytest.raises(TorchFileError, match=r"no tensor _fc\.weight"):
        head_weights({})


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_with_its_head_a_backbone_calls_a_palace_a_palace(name: str) -> None:
    folder = default_weights_dir()
    needed = BACKBONES[name].weights_file, head_file(name)
    if not all((folder / file).is_file() for file in needed):
        pytest.skip(f"{' or '.join(needed)} is not in {folder}")
    backbone = build_backbone(name, weights_dir=folder)
    head = read_npz(folder / head_file(name))
    logits = pooled(backbone) @ head["kernel"] + head["bias"]
    assert logits.shape == (1000,)
    assert logits.argmax() == PALACE


def pooled(backbone: keras.Model) -> NDArray[np.float32]:
    """The embedding of the central square of scikit-learn's photo of the Summer Palace in Beijing."""
    photo = Image.fromarray(load_sample_image("china.jpg"))
    left, side = (photo.width - photo.height) // 2, backbone.input_shape[1]
    square = photo.crop((left, 0, left + photo.height, photo.height)).resize((side, side), Image.Resampling.BICUBIC)
    return backbone(np.asarray(square, np.float32)[None], training=False).numpy()[0].mean(axis=(0, 1))
