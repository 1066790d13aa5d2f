from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

from flowers_core.data.batches import inputs
from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.runtime import Runtime
from flowers_core.networks import backbones
from flowers_core.networks.backbones import (
    BACKBONES,
    BackboneUnknown,
    WeightsMissing,
    backbone_named,
    build_backbone,
    take_rgb,
)
from flowers_core.networks.classifier import build_classifier, set_head
from flowers_core.quantization.convert import convert
from flowers_core.storage.paths import default_weights_dir
from flowers_core.training.linear_probe import embed, fit_probe

# Parameters up to the last feature map. MobileNetV2 and InceptionV3 as Keras' documentation counts them without top
# (InceptionV3 less its last two blocks). EfficientNet-Lite0 has 4.65 million with its ImageNet head of 1000 classes and
# batch norm, of which the head has 1.281 million. Its first 13 blocks: less the last convolution (410,880), block 16
# (602,816), block 15 (473,664) and the projection of block 14 (221,376). Lite1 has 5,416,680 with all that and Lite2
# 6,092,072; batch norm is folded into as many biases here, less its scales of 26,832 and 29,048 channels.
PARAMETERS = {
    "efficientnet_lite0": 3_350_000,
    "efficientnet_lite0_13_blocks": 3_350_000 - 410_880 - 602_816 - 473_664 - 221_376,
    # Its last convolution, block 16 and three blocks of 473,664 a second time.
    "efficientnet_lite0_2_branches": 3_350_000 + 410_880 + 602_816 + 3 * 473_664,
    "efficientnet_lite1": 5_416_680 - 1_281_000 - 26_832,
    "efficientnet_lite2": 6_092_072 - 1_281_000 - 29_048,
    "inception_v3": 21_802_784,
    "inception_v3_mixed7": 8_975_264,
    "inception_v3_mixed8": 10_674_848,
    "mobilenet_v2": 2_257_984,
    "resnet50": 23_587_712,
    "vgg16": 14_714_688,
}
GRIDS = {
    "efficientnet_lite0": (7, 7, 1280),
    "efficientnet_lite0_13_blocks": (7, 7, 1152),
    "efficientnet_lite0_2_branches": (7, 7, 2560),
    "efficientnet_lite1": (8, 8, 1280),
    "efficientnet_lite2": (9, 9, 1280),
    "inception_v3": (8, 8, 2048),
    "inception_v3_mixed7": (17, 17, 768),
    "inception_v3_mixed8": (8, 8, 1280),
    "mobilenet_v2": (7, 7, 1280),
    "resnet50": (7, 7, 2048),
    "vgg16": (7, 7, 512),
}


@pytest.fixture(scope="module", params=sorted(BACKBONES))
def backbone(request: pytest.FixtureRequest) -> keras.Model:
    return build_backbone(request.param, weights_dir=None)


def test_shapes_and_parameters(backbone: keras.Model) -> None:
    assert backbone.count_params() == PARAMETERS[backbone.name]
    assert backbone.output_shape[1:] == GRIDS[backbone.name]
    assert not any(isinstance(layer, keras.Model) for layer in backbone.layers)


def test_features_are_not_negative(backbone: keras.Model) -> None:
    size = backbone.input_shape[1]
    photos = np.random.default_rng(0).integers(0, 256, (1, size, size, 3)).astype(np.float32)
    assert backbone(photos, training=False).numpy().min() >= 0


def test_the_scaling_is_inside_the_graph(backbone: keras.Model) -> None:
    scaling = backbone.get_layer("scaling")
    ends = np.asarray(scaling(np.array([[0.0] * 3, [255.0] * 3], np.float32)))
    if backbone.name in ("vgg16", "resnet50"):
        # Less ImageNet's mean, as Simonyan and Zisserman 2015 (arXiv 1409.1556) trained.
        expected = np.subtract([[0.0] * 3, [255.0] * 3], (123.68, 116.779, 103.939))
    else:
        # Lite models were trained on (x − 127) / 128, the others on x / 127.5 − 1.
        expected = np.array([[-127 / 128 if "lite" in backbone.name else -1.0] * 3, [1.0] * 3])
    np.testing.assert_allclose(ends, expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "network", "module"),
    [
        ("vgg16", keras.applications.VGG16, keras.applications.vgg16),
        ("mobilenet", keras.applications.MobileNet, keras.applications.mobilenet),
        ("densenet121", keras.applications.DenseNet121, keras.applications.densenet),
    ],
)
def test_a_photo_goes_in_as_keras_own_preprocessing_would_have_it(
    name: str, network: Callable[..., keras.Model], module: ModuleType
) -> None:
    """BGR less a mean, −1 to 1, and a mean and deviation for each channel: the three ways there are."""
    theirs = network(include_top=False, weights=None, input_shape=(32, 32, 3))
    ours = build_backbone(name, weights_dir=None, size=32)
    ours.set_weights(theirs.get_weights())
    if backbone_named(name).mirrored:
        take_rgb(ours)
    photos = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    expected = theirs(module.preprocess_input(photos.copy())).numpy()
    np.testing.assert_allclose(ours(photos).numpy(), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_published_networks_from_photos_to_a_tflite_model(
    name: str, drawn_dataset: OxfordFlowers, tmp_path: Path
) -> None:
    """Their ImageNet weights are not at hand here: random ones, small photos, and every step that there is."""
    rule = CropRule(32)
    train = inputs(drawn_dataset, drawn_dataset.split_ids("train"), rule)
    labels = np.unique(drawn_dataset.labels[drawn_dataset.splits == "train"], return_inverse=True)[1] + 1
    classifier = build_classifier(build_backbone(name, weights_dir=None, size=32), int(labels.max()))
    embedded = embed(classifier, [train])
    probe = fit_probe(embedded, labels, (embedded, labels), classes=int(labels.max()), candidates=(1.0,))
    set_head(classifier, probe.W, probe.b)
    path = tmp_path / "float32.tflite"
    path.write_bytes(convert(classifier, "float32"))
    expected = classifier(train.astype(np.float32), training=False).numpy()
    np.testing.assert_allclose(Runtime(path, workers=1).logits(train), expected, atol=1e-3 * np.abs(expected).max())


def test_another_input_size() -> None:
    assert build_backbone("mobilenet_v2", weights_dir=None, size=96).output_shape == (None, 3, 3, 1280)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        BackboneUnknown, match=r"choose one of efficientnet_lite0, .*mobilenet_v2.*or another.*densenet121"
    ):
        build_backbone("vgg", weights_dir=None)


@pytest.mark.slow
def test_weights_that_cannot_be_had_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (0, 1, 2):
        named = rf"`flowers download_weights`.*efficientnet_lite{number}_imagenet_notop\.weights\.h5"
        with pytest.raises(WeightsMissing, match=named):
            build_backbone(f"efficientnet_lite{number}", weights_dir=tmp_path)

    def no_network(**_: object) -> keras.Model:
        raise Exception("URL fetch failure")  # what Keras raises

    broken = backbones.Backbone(**{**vars(BACKBONES["mobilenet_v2"]), "download": no_network})
    monkeypatch.setitem(BACKBONES, "mobilenet_v2", broken)
    with pytest.raises(WeightsMissing, match=r"could not be downloaded.*mobilenet_v2_imagenet_notop"):
        build_backbone("mobilenet_v2", weights_dir=tmp_path)


@pytest.mark.slow
def test_weights_come_from_a_folder(tmp_path: Path) -> None:
    saved = keras.applications.MobileNetV2(alpha=1.0, include_top=False, weights=None, input_shape=(224, 224, 3))
    keras.Model(saved.input, saved.output).save_weights(tmp_path / BACKBONES["mobilenet_v2"].weights_file)
    loaded = build_backbone("mobilenet_v2", weights_dir=tmp_path)
    for before, after in zip(saved.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.slow
@pytest.mark.weights
def test_every_backbone_loads_its_imagenet_weights() -> None:
    """Built twice it answers alike: what was not loaded would be drawn anew each time."""
    flat = np.full((1, 96, 96, 3), 128, np.float32)
    at_hand = [name for name in BACKBONES if (default_weights_dir() / BACKBONES[name].weights_file).is_file()]
    assert {"efficientnet_lite0", "inception_v3_mixed7", "inception_v3_mixed8", "mobilenet_v2"} <= set(at_hand)
    for name in at_hand:
        trained = build_backbone(name, weights_dir=default_weights_dir(), size=96)
        again = build_backbone(name, weights_dir=default_weights_dir(), size=96)
        answer = trained(flat, training=False).numpy()
        assert answer.any()
        np.testing.assert_array_equal(answer, again(flat, training=False).numpy())


@pytest.mark.slow
@pytest.mark.weights
def test_a_cut_network_has_the_features_of_the_longer_one_there() -> None:
    longer = build_backbone("inception_v3_mixed8", weights_dir=default_weights_dir(), size=96)
    shorter = build_backbone("inception_v3_mixed7", weights_dir=default_weights_dir(), size=96)
    there = keras.Model(longer.input, longer.get_layer("mixed7").output)
    photo = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3)).astype(np.float32)
    np.testing.assert_allclose(shorter(photo).numpy(), there(photo).numpy(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.weights
def test_the_beginning_of_a_network_computes_what_the_whole_one_does_there() -> None:
    whole = build_backbone("efficientnet_lite0", weights_dir=default_weights_dir(), size=64)
    beginning = build_backbone("efficientnet_lite0_13_blocks", weights_dir=default_weights_dir(), size=64)
    photos = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)
    same_layer = whole.layers[len(beginning.layers) - 1].output
    expected = keras.Model(whole.input, same_layer)(photos, training=False).numpy()
    np.testing.assert_allclose(beginning(photos, training=False).numpy(), expected, atol=1e-5)
