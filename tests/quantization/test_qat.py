import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.runtime import Runtime
from flowers_core.quantization.convert import convert
from flowers_core.quantization.qat import QatRecipe, learning_layers, quantization_aware_training
from flowers_core.quantization.weight_rounding import round_to_int8
from flowers_core.training.augmentation import CROPS
from flowers_core.training.decoded_cache import open_decoded_cache
from flowers_core.training.feature_cache import AugmentedViews
from flowers_core.training.recipe import RecipeError
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier

RECIPE = QatRecipe(steps=40, views=4, batch_size=8, learning_rate=3e-4)


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    """A few weights far larger than the rest, as outliers are: to the others a step of INT8 is coarse."""
    classifier = tiny_classifier(classes=5)
    for layer in classifier.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = layer.kernel.numpy()
            kernel[0, 0, 0] *= 12.0
            layer.kernel.assign(kernel)
    return classifier


@pytest.fixture(scope="module")
def views(drawn_dataset: OxfordFlowers, tmp_path_factory: pytest.TempPathFactory) -> AugmentedViews:
    ids = drawn_dataset.split_ids("train")
    return AugmentedViews(open_decoded_cache(drawn_dataset, ids, tmp_path_factory.mktemp("store")), ids, CROPS, seed=0)


def drawn(views: AugmentedViews, number: int) -> np.ndarray:
    """One view of every photo."""
    return views.pixels(number, CropRule(SIZE), views.photo_ids)


@pytest.fixture(scope="module")
def calibration(views: AugmentedViews) -> np.ndarray:
    return drawn(views, 0)


def fitted(
    classifier: keras.Model, calibration: np.ndarray, views: AugmentedViews, recipe: QatRecipe, folder: Path
) -> tuple[keras.Model, dict]:
    return quantization_aware_training(classifier, calibration, views, CropRule(SIZE), recipe, folder, data="drawn")


@pytest.fixture(scope="module")
def trained(
    classifier: keras.Model, calibration: np.ndarray, views: AugmentedViews, tmp_path_factory: pytest.TempPathFactory
) -> tuple[keras.Model, dict]:
    """The copy that RECIPE makes, and the record of that."""
    return fitted(classifier, calibration, views, RECIPE, tmp_path_factory.mktemp("trained"))


def int8_error(
    classifier: keras.Model, exact: keras.Model, calibration: np.ndarray, views: AugmentedViews, folder: Path
) -> float:
    """Of the converted model's logits, on views that nothing was fitted to."""
    photos = drawn(views, 9)
    path = folder / "int8.tflite"
    path.write_bytes(convert(classifier, "int8", calibration, alpha=0.0))
    error = Runtime(path, workers=1).logits(photos) - np.asarray(exact(photos.astype(np.float32)))
    return float(np.sqrt(np.square(error).mean()))


@pytest.mark.slow
def test_the_converted_model_is_nearer_to_the_float_one(
    trained: tuple[keras.Model, dict],
    classifier: keras.Model,
    calibration: np.ndarray,
    views: AugmentedViews,
    tmp_path: Path,
) -> None:
    copy, record = trained
    assert record["kept"]
    assert record["cut"] == "photo"
    assert record["mismatch_after"]["logits"] < record["mismatch_before"]["logits"]
    before = int8_error(classifier, classifier, calibration, views, tmp_path)
    after = int8_error(copy, classifier, calibration, views, tmp_path)
    assert after < 0.85 * before


def test_the_head_stays_and_the_kernels_lie_on_their_steps(
    trained: tuple[keras.Model, dict], classifier: keras.Model
) -> None:
    copy, _ = trained
    for mine, theirs in zip(
        copy.get_layer("logits").get_weights(), classifier.get_layer("logits").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    for layer in copy.layers:
        if isinstance(layer, keras.layers.Conv2D):
            np.testing.assert_allclose(layer.kernel, round_to_int8(layer.kernel), rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    trained: tuple[keras.Model, dict],
    classifier: keras.Model,
    calibration: np.ndarray,
    views: AugmentedViews,
    tmp_path: Path,
) -> None:
    first = trained[0].get_weights()
    again, other = (
        fitted(classifier, calibration, views, dataclasses.replace(RECIPE, seed=seed), tmp_path / str(seed))
        for seed in (0, 1)
    )
    assert other[1]["kept"]
    for mine, theirs in zip(first, again[0].get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert any((mine != theirs).any() for mine, theirs in zip(first, other[0].get_weights(), strict=True))


def test_only_the_last_layers_learn_when_told_so(
    classifier: keras.Model, calibration: np.ndarray, views: AugmentedViews, tmp_path: Path
) -> None:
    """The first convolution is only rounded, and its bias corrected; what passes the cut was computed once."""
    told: list[str] = []
    copy, record = quantization_aware_training(
        *(
            classifier,
            calibration,
            views,
            CropRule(SIZE),
            dataclasses.replace(RECIPE, steps=5, last_layers=2),
            tmp_path,
        ),
        data="drawn",
        progress=lambda what, done, total: told.append(f"{what} {done}/{total}"),
    )
    first, last = (layer.name for layer in copy.layers if isinstance(layer, keras.layers.Conv2D))
    assert learning_layers(classifier, 2) == [last]
    assert record["cut"].startswith("re_lu")
    np.testing.assert_array_equal(copy.get_layer(first).kernel, round_to_int8(classifier.get_layer(first).kernel))
    assert not np.array_equal(copy.get_layer(last).kernel, round_to_int8(classifier.get_layer(last).kernel))
    assert told[-1] == "views 4/4"
    assert {path.name.split("-")[0] for path in tmp_path.glob("*.npy")} == {"rounded", "exact"}


def test_what_does_not_help_is_not_kept(
    classifier: keras.Model, calibration: np.ndarray, views: AugmentedViews, tmp_path: Path
) -> None:
    before = [weight.copy() for weight in classifier.get_weights()]
    copy, record = fitted(
        classifier, calibration, views, dataclasses.replace(RECIPE, steps=3, learning_rate=1.0), tmp_path
    )
    assert not record["kept"]
    for weight, kept in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    for layer in copy.layers:
        if isinstance(layer, keras.layers.Conv2D):
            np.testing.assert_array_equal(layer.kernel, round_to_int8(classifier.get_layer(layer.name).kernel))


def test_recipes_that_cannot_be_followed_are_refused(classifier: keras.Model) -> None:
    with pytest.raises(RecipeError, match="two views"):
        QatRecipe(steps=1, views=1)
    with pytest.raises(RecipeError, match="no convolution to fit among the last 1 "):
        learning_layers(classifier, 1)
    with pytest.raises(RecipeError, match="no convolution"):
        learning_layers(classifier, 99)
