"""The closed forms: by hand, against a Keras model's logits, and against tf-keras-vis' Grad-CAM."""

import warnings

import numpy as np
import pytest
from scipy.ndimage import zoom

from flowers_core.explain.attributions.cam import class_contrast, class_evidence, neighbour_similarity
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget

FRAME = {"box": (0.0, 0.0, 20.0, 20.0), "photo_size": (20, 20)}

# Two by two positions of three channels; their mean is (1, 1.5, 1).
FEATURES = np.array([[[1, 0, 2], [0, 3, 1]], [[2, 2, 0], [1, 1, 1]]], np.float32)
# Three classes, one to a column: (1, 0, −1), (0, 2, 1), (4, −4, 0).
HEAD = np.array([[1, 0, 4], [0, 2, -4], [-1, 1, 0]], np.float32)


@pytest.mark.parametrize(
    ("label", "expected", "value"),
    [
        # Products with each position, over four: class 1 has 1−2, −1, 2, 1−1.
        (1, [[-0.25, -0.25], [0.5, 0.0]], 0.0),
        (2, [[0.5, 1.75], [1.0, 0.75]], 4.0),
        (3, [[1.0, -3.0], [0.0, 0.0]], -2.0),
    ],
)
def test_class_evidence_by_hand(label, expected, value):
    explained = class_evidence(FEATURES, HEAD, label, **FRAME)
    np.testing.assert_allclose(explained.contributions, expected, atol=1e-7)
    assert explained.value == pytest.approx(value, abs=1e-9)
    assert (explained.method, explained.unit, explained.target) == ("cam", "logit", ClassTarget(label))
    assert explained.seed is None


def test_class_contrast_by_hand():
    explained = class_contrast(FEATURES, HEAD, 2, 1, **FRAME)
    np.testing.assert_allclose(explained.contributions, [[0.75, 2.0], [0.5, 0.75]], atol=1e-7)
    assert explained.value == pytest.approx(4.0)
    assert explained.target == ContrastTarget(2, 1)
    mirrored = class_contrast(FEATURES, HEAD, 1, 2, **FRAME)
    np.testing.assert_allclose(mirrored.contributions, -explained.contributions)


def test_neighbour_similarity_by_hand():
    # cos((1, 1.5, 1), (0, 2, 0)) = 1.5 / √4.25; the second channel's 0, 3, 2, 1 share it in sixths of themselves.
    explained = neighbour_similarity(FEATURES, np.array([0, 2, 0], np.float32), 4711, **FRAME)
    cosine = 1.5 / np.sqrt(4.25)
    assert explained.value == pytest.approx(cosine)
    np.testing.assert_allclose(explained.contributions, np.array([[0, 3], [2, 1]]) * cosine / 6, rtol=1e-6)
    assert (explained.unit, explained.target) == ("cosine", NeighbourTarget(4711))


def test_the_photo_itself_is_its_nearest_neighbour():
    explained = neighbour_similarity(FEATURES, FEATURES.mean(axis=(0, 1)), 1, **FRAME)
    assert explained.value == pytest.approx(1)
    assert explained.contributions.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("features", "neighbour"), [(np.zeros_like(FEATURES), np.ones(3)), (FEATURES, np.zeros(3, np.float32))]
)
def test_an_empty_embedding_is_like_nothing(features, neighbour):
    explained = neighbour_similarity(features, neighbour, 1, **FRAME)
    assert explained.value == 0
    assert not explained.contributions.any()
    assert not explained.has_positive_evidence


def test_parts_add_up_at_the_size_of_a_real_backbone():
    random = np.random.default_rng(1)
    features = np.maximum(random.normal(size=(7, 7, 1280)), 0).astype(np.float32) * 4
    head = random.normal(size=(1280, 102)).astype(np.float32)
    neighbour = np.maximum(random.normal(size=1280), 0).astype(np.float32)
    explanations = [
        class_evidence(features, head, 17, **FRAME),
        class_contrast(features, head, 17, 102, **FRAME),
        neighbour_similarity(features, neighbour, 3, **FRAME),
    ]
    embedding = features.mean(axis=(0, 1))
    expected = [
        embedding @ head[:, 16],
        embedding @ head[:, 16] - embedding @ head[:, 101],
        embedding @ neighbour / np.linalg.norm(embedding) / np.linalg.norm(neighbour),
    ]
    for explained, value in zip(explanations, expected, strict=True):
        assert explained.value == pytest.approx(value, abs=1e-4)
        assert explained.terms.sum() == pytest.approx(explained.value, abs=1e-4)


def test_what_cannot_be_is_refused():
    for label in (0, 4, -1):
        with pytest.raises(ValueError, match="no label"):
            class_evidence(FEATURES, HEAD, label, **FRAME)
    with pytest.raises(ValueError, match="against itself"):
        class_contrast(FEATURES, HEAD, 2, 2, **FRAME)
    with pytest.raises(ValueError, match="do not fit"):
        class_evidence(FEATURES, HEAD[:2], 1, **FRAME)
    with pytest.raises(ValueError, match="do not fit"):
        neighbour_similarity(FEATURES, np.ones(4), 1, **FRAME)
    with pytest.raises(ValueError, match="do not fit"):
        class_evidence(FEATURES[None], HEAD, 1, **FRAME)  # a batch


# ---- against a Keras model and tf-keras-vis ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # tf-keras-vis imports an old name of SciPy's zoom
        import keras
        import tf_keras_vis.gradcam  # noqa: F401 - a missing or broken one is to fail here
    keras.utils.set_random_seed(5)
    return keras


@pytest.fixture(scope="module")
def photos():
    return np.random.default_rng(2).uniform(-1, 1, size=(4, 32, 32, 3)).astype(np.float32)


def classifier(keras, *, top_left_only: bool = False):
    """Convolutions → ReLU ("features") → global average pooling → linear with a bias, flat and functional."""
    layers = keras.layers
    photo = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(photo)
    x = layers.Conv2D(16, 3, strides=2, padding="same")(x)
    if top_left_only:
        # Of 8 × 8 positions the last four rows and columns are cut away and replaced by zeros.
        x = layers.ZeroPadding2D(((0, 4), (0, 4)))(layers.Cropping2D(((0, 4), (0, 4)))(x))
    features = layers.ReLU(name="features")(x)
    embedding = layers.GlobalAveragePooling2D(name="embedding")(features)
    logits = layers.Dense(5, bias_initializer="random_normal", name="logits")(embedding)
    return keras.Model(photo, logits), keras.Model(photo, features)


def gradcam(model, score, photo, **options) -> np.ndarray:
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear

    # seek_penultimate_conv_layer would go back to the convolution before the ReLU.
    explainer = Gradcam(model, model_modifier=ReplaceToLinear())
    cam = explainer(score, photo[None], penultimate_layer="features", seek_penultimate_conv_layer=False, **options)
    return np.asarray(cam)[0]


def test_the_value_is_the_models_logit_without_its_bias(keras, photos):
    model, backbone = classifier(keras)
    head, bias = model.get_layer("logits").get_weights()
    logits = model(photos).numpy()
    for features, row in zip(backbone(photos).numpy(), logits, strict=True):
        for label in range(1, 6):
            explained = class_evidence(features, head, label, **FRAME)
            assert explained.value + bias[label - 1] == pytest.approx(row[label - 1], abs=1e-4)
            assert explained.contributions.sum() == pytest.approx(explained.value, abs=1e-4)


@pytest.mark.slow
def test_evidence_is_grad_cam(keras, photos):
    from tf_keras_vis.utils.scores import CategoricalScore

    model, backbone = classifier(keras)
    head, _ = model.get_layer("logits").get_weights()
    compared = 0
    for photo, features in zip(photos, backbone(photos).numpy(), strict=True):
        for label in range(1, 6):
            ours = np.maximum(class_evidence(features, head, label, **FRAME).contributions, 0)
            if not ours.any():
                continue
            # On the grid of the features, nothing normalised: the very numbers.
            theirs = gradcam(model, CategoricalScore(label - 1), photo, expand_cam=False, normalize_cam=False)
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
            assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] >= 0.999
            # As people see it: enlarged (with SciPy's corners on corners) and stretched to 0…1.
            shown = gradcam(model, CategoricalScore(label - 1), photo)
            enlarged = zoom(ours, 4, order=1)
            assert np.corrcoef(enlarged.ravel(), shown.ravel())[0, 1] >= 0.999
            compared += 1
    assert compared >= 8


def test_contrast_is_grad_cam_of_the_difference(keras, photos):
    model, backbone = classifier(keras)
    head, _ = model.get_layer("logits").get_weights()
    for photo, features in zip(photos, backbone(photos).numpy(), strict=True):
        ours = class_contrast(features, head, 4, 2, **FRAME).contributions
        assert (ours > 0).any()
        theirs = gradcam(model, lambda out: out[:, 3] - out[:, 1], photo, expand_cam=False, normalize_cam=False)
        np.testing.assert_allclose(np.maximum(ours, 0), theirs, atol=1e-6)


def test_a_model_that_looks_at_the_top_left_quarter_is_found_out(keras, photos):
    """The right answer is known by construction; the photo is wider than the crop, as photos are."""
    model, backbone = classifier(keras, top_left_only=True)
    head, _ = model.get_layer("logits").get_weights()
    frame = {"box": (16.0, 0.0, 80.0, 64.0), "photo_size": (96, 64)}
    changed = photos.copy()
    changed[:, 20:, :] = 0  # convolutions see a few pixels past the middle
    changed[:, :, 20:] = 0
    np.testing.assert_allclose(model(changed).numpy(), model(photos).numpy(), atol=1e-5)
    for features in backbone(photos).numpy():
        explanations = [
            *(class_evidence(features, head, label, **frame) for label in range(1, 6)),
            class_contrast(features, head, 1, 2, **frame),
            neighbour_similarity(features, features.mean(axis=(0, 1)), 1, **frame),
        ]
        for explained in explanations:
            contributions = explained.contributions
            assert np.abs(contributions[:4, :4]).sum() > 0
            assert not contributions[4:].any()
            assert not contributions[:, 4:].any()
            heat = np.abs(explained.heatmap())
            # The quarter is x 16…48, y 0…32 of the photo; interpolation runs half a cell (4 pixels) over its edges.
            assert heat[:36, 16:52].sum() == pytest.approx(heat.sum())
            assert heat[:32, 16:48].sum() > 0.85 * heat.sum()
