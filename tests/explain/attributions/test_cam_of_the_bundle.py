"""The closed forms of the shipped models against tf-keras-vis' Grad-CAM of the classifier that they were made from."""

import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from flowers_core.data.batches import inputs, stratified_sample
from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import Photo, open_photo
from flowers_core.explain.attributions.cam import class_contrast, class_evidence
from flowers_core.inference.bundle import DEFAULT_BUNDLE, Bundle, load_bundle
from flowers_core.inference.runtime import Forward, Runtime
from flowers_core.storage.paths import default_data_dir, default_models_dir


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(default_models_dir() / DEFAULT_BUNDLE)


@pytest.fixture(scope="module")
def photo() -> Photo:
    """One that the model names without doubt: where it doubts, rounding moves the order more."""
    return open_photo(Path(__file__).resolve().parents[3] / "app" / "example" / "daisies.jpg")


@pytest.fixture(scope="module")
def gradcam(bundle, photo):
    """A function from a class, or a class and its rival, to tf-keras-vis' map on the grid of the features.

    It takes a second a call, and does not depend on the precision: each map is made once.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports an old name of SciPy's zoom
        from tf_keras_vis.gradcam import Gradcam

    from flowers_core.networks.classifier import FEATURES, load_classifier

    explainer = Gradcam(load_classifier(bundle.path("classifier.keras")))
    pixels = model_input(photo.pixels, bundle.crop_rule).pixels[None].astype(np.float32)

    @cache
    def explain(label: int, rival: int | None = None) -> np.ndarray:
        found = explainer(
            lambda out: out[:, label - 1] - (out[:, rival - 1] if rival else 0),
            pixels,
            penultimate_layer=FEATURES,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        return np.asarray(found)[0]

    return explain


def forward(bundle: Bundle, photo: Photo, precision: str) -> Forward:
    runtime = Runtime(bundle.path(f"{precision}.tflite"), workers=1)
    return runtime.forward(model_input(photo.pixels, bundle.crop_rule).pixels[None])


def compare(bundle, photo, gradcam, precision) -> list[tuple[float, float]]:
    """Pearson's and Spearman's correlation for the five most probable classes and the first against the second."""
    passed = forward(bundle, photo, precision)
    head, _ = bundle.head()
    frame = {"box": model_input(photo.pixels, bundle.crop_rule).box, "photo_size": (photo.width, photo.height)}
    best = [int(label) for label in np.argsort(-passed.logits[0])[:5] + 1]
    pairs = [(class_evidence(passed.features[0], head, label, **frame), gradcam(label)) for label in best]
    one, other = best[:2]
    contrast = class_contrast(passed.features[0], head, one, other, **frame)
    pairs.append((contrast, gradcam(one, other)))
    found = []
    for ours, theirs in pairs:
        seen = np.maximum(ours.contributions, 0)
        assert seen.any()
        found.append((np.corrcoef(seen.ravel(), theirs.ravel())[0, 1], spearmanr(seen.ravel(), theirs.ravel())[0]))
    return found


@pytest.mark.slow
def test_of_the_float_models_it_is_grad_cam(bundle, photo, gradcam):
    precisions = [precision for precision in bundle.precisions if precision.startswith("float")]
    assert precisions
    for precision in precisions:
        for pearson, spearman in compare(bundle, photo, gradcam, precision):
            assert pearson >= 0.999
            assert spearman >= 0.999


@pytest.mark.slow
def test_of_the_int8_model_it_ranks_as_grad_cam_of_the_float_one(bundle, photo, gradcam):
    """Eight bits move the features a little: the order of the positions stays, for each of the four first answers.

    Of the fifth, one per cent probable, most positions hold next to nothing, whose order is that of rounding errors.
    The gap between two of them is the small difference of two sums, and of a single photo its order may move more; what
    it does over many is the next test's.
    """
    *classes, contrast = compare(bundle, photo, gradcam, "int8")
    print("INT8, Pearson and Spearman:", *(f"{pearson:.4f} {spearman:.4f}" for pearson, spearman in classes))
    assert len(classes) == 5
    assert min(spearman for _, spearman in classes[:4]) >= 0.97
    assert min(pearson for pearson, _ in classes) >= 0.99
    assert min(contrast) >= 0.9


@pytest.mark.dataset
def test_over_many_photos_the_maps_of_int8_rank_as_those_of_float(bundle):
    """Classes and contrasts alike, on test photos of 34 classes."""
    flowers = OxfordFlowers(default_data_dir())
    photos = inputs(flowers, stratified_sample(flowers, "test", 34, 0), bundle.crop_rule)
    head = bundle.head()[0]
    exact, coarse = (Runtime(bundle.path(f"{name}.tflite"), workers=2).forward(photos) for name in ("float16", "int8"))
    ranks = {"class": [], "contrast": []}
    for logits, one, other in zip(exact.logits, exact.features, coarse.features, strict=True):
        first, second = np.argsort(-logits)[:2]
        for name, direction in (("class", head[:, first]), ("contrast", head[:, first] - head[:, second])):
            maps = (np.maximum(features @ direction, 0).ravel() for features in (one, other))
            ranks[name].append(spearmanr(*maps)[0])
    assert np.mean(ranks["class"]) >= 0.98
    assert np.mean(ranks["contrast"]) >= 0.97


def test_the_parts_add_up_to_the_logit(bundle, photo):
    """Within 1e-4; in INT8 the linear layer's weights are rounded too, each by half a step of its class at most."""
    head, bias = bundle.head()
    frame = {"box": (0.0, 0.0, 1.0, 1.0), "photo_size": (1, 1)}
    for precision in bundle.precisions:
        passed = forward(bundle, photo, precision)
        steps = 0 if precision.startswith("float") else np.abs(head).max(axis=0) / 127
        allowed = 1e-4 + steps / 2 * passed.embedding[0].sum() * np.ones_like(bias)
        for label in range(1, len(bundle.class_names) + 1):
            explained = class_evidence(passed.features[0], head, label, **frame)
            assert explained.contributions.sum() == pytest.approx(explained.value, abs=1e-4)
            gap = explained.value + bias[label - 1] - passed.logits[0, label - 1]
            assert abs(gap) <= allowed[label - 1], (precision, label)
