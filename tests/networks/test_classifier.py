from pathlib import Path

import keras
import numpy as np
import pytest

from flowers_core.networks.classifier import (
    build_classifier,
    head_of,
    load_classifier,
    save_half,
    set_head,
    three_outputs,
)
from flowers_core.networks.compiled import compiled
from tests.fixtures.tiny_classifier import SIZE, tiny_backbone, tiny_classifier


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (4, SIZE, SIZE, 3)).astype(np.float32)


def test_logits_are_linear_in_the_mean_of_the_features(photos: np.ndarray) -> None:
    classifier = tiny_classifier()
    outputs = {name: value.numpy() for name, value in three_outputs(classifier)(photos).items()}
    W, b = head_of(classifier)
    np.testing.assert_allclose(outputs["embedding"], outputs["features"].mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(outputs["logits"], outputs["features"].mean(axis=(1, 2)) @ W + b, atol=1e-5)


def test_the_network_is_flat() -> None:
    """tf-keras-vis fails on networks with networks inside."""
    assert not any(isinstance(layer, keras.Model) for layer in tiny_classifier().layers)


def test_a_head_that_is_set_answers(photos: np.ndarray) -> None:
    classifier = tiny_classifier(classes=2)
    set_head(classifier, np.zeros((16, 2)), np.array([1.0, -2.0]))
    np.testing.assert_array_equal(classifier(photos).numpy(), [[1.0, -2.0]] * 4)


def test_half_precision_rounds_each_weight_and_changes_nothing_else(photos: np.ndarray, tmp_path: Path) -> None:
    classifier = tiny_classifier()
    path = tmp_path / "classifier.keras"
    save_half(classifier, path)
    loaded = load_classifier(path)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in classifier.layers]
    for before, after in zip(classifier.get_weights(), loaded.get_weights(), strict=True):
        assert after.dtype == np.float32
        np.testing.assert_array_equal(after, before.astype(np.float16).astype(np.float32))
    answers = loaded(photos)
    assert answers.dtype == "float32"
    np.testing.assert_allclose(answers.numpy(), classifier(photos).numpy(), atol=0.02)


def test_half_precision_takes_half_the_bytes(tmp_path: Path) -> None:
    backbone = tiny_backbone()
    wide = keras.layers.Conv2D(512, 3, name="wide")(backbone.output)
    classifier = build_classifier(keras.Model(backbone.input, wide, name="wide"), 102)
    save_half(classifier, tmp_path / "half.keras")
    classifier.save(tmp_path / "full.keras")
    assert (tmp_path / "half.keras").stat().st_size < 0.56 * (tmp_path / "full.keras").stat().st_size


def test_a_weight_beyond_half_precision_is_refused(tmp_path: Path) -> None:
    classifier = tiny_classifier(classes=2)
    set_head(classifier, np.full((16, 2), 1e5), np.zeros(2))
    with pytest.raises(OverflowError, match="full precision"):
        save_half(classifier, tmp_path / "classifier.keras")


def test_code_in_a_classifier_file_is_not_run(tmp_path: Path) -> None:
    photos = keras.Input((SIZE, SIZE, 3))
    hidden = keras.Model(photos, keras.layers.Lambda(lambda x: x * 2)(photos))
    hidden.save(tmp_path / "classifier.keras")
    with pytest.raises(ValueError, match=r"[Ll]ambda"):
        load_classifier(tmp_path / "classifier.keras")


def test_a_traced_network_answers_as_the_network_does(photos: np.ndarray) -> None:
    classifier = tiny_classifier()
    run = compiled(classifier)
    for count in (1, 4):
        np.testing.assert_allclose(
            run(photos[:count].astype(np.uint8)), classifier.predict(photos[:count], verbose=0), atol=1e-5
        )
