"""The measures against Quantus, whose authors know nothing of this project (Hedström et al. 2023, JMLR 24).

Quantus brings OpenCV, which needs libGL and libglib of the system: where they are missing there is nothing to compare.
"""

import numpy as np
import pytest

from flowers_core.explain.attributions.grad_cam import explain_grad_cam
from flowers_core.explain.attributions.gradients import Gradients
from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.metrics.agreement import compare
from flowers_core.explain.metrics.complexity_rise import complexity_rise
from flowers_core.explain.metrics.faithfulness import blurred_photo, curves, in_model_frame, mean_colour_photo
from flowers_core.explain.metrics.localization import localize, rank_accuracy
from flowers_core.explain.metrics.road import imputed
from tests.fixtures.small_network import SIZE as SMALL
from tests.fixtures.small_network import photo as small_photo
from tests.fixtures.subjects import subject

# It takes seconds to import, and tells something new only when a measure changes.
pytestmark = pytest.mark.slow

#: A tenth of 30 × 30 pixels is three steps of 30, and Quantus takes equal steps only.
SIZE = 30
#: Quantus counts each channel of a pixel.
STEP = 3 * 30
LABEL = 2
#: Quantus divides maps by their maximum and, for some measures, drops signs unless it is told not to.
PLAIN = {"normalise": False, "abs": False, "disable_warnings": True}


@pytest.fixture(scope="module")
def quantus():
    return pytest.importorskip("quantus", exc_type=ImportError)


@pytest.fixture(scope="module")
def model():
    """Photos (30, 30, 3) in 0…255 → logits of 6 classes."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(5)
    photos = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(photos)
    x = layers.Conv2D(8, 5, strides=2, activation="swish")(x)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(x))
    return keras.Model(photos, layers.Dense(6, kernel_initializer=keras.initializers.RandomNormal(stddev=4))(x))


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """Patches whose channels hold the same values in another order, and so have one mean: Quantus takes one number."""
    patches = np.kron(np.random.default_rng(1).integers(0, 256, size=(6, 6)), np.ones((5, 5), int))
    return np.stack([patches, patches[::-1], patches.T], axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def heat() -> np.ndarray:
    """No two pixels alike: Quantus' order of equal ones is not defined."""
    return (np.random.default_rng(2).permutation(SIZE * SIZE).reshape(SIZE, SIZE) - 700.0).astype(np.float32)


def flip(quantus, model, pixels, heat, **options):
    """Quantus' probabilities after each tenth of the pixels, brightest first, (10,)."""
    (steps,) = quantus.PixelFlipping(features_in_step=STEP, **PLAIN, **options)(
        model=model,
        x_batch=pixels[None].astype(np.float32),
        y_batch=np.array([LABEL - 1]),
        a_batch=heat[None, None],
        softmax=True,
        channel_first=False,
    )
    assert len(steps) == 30
    assert np.ptp(steps) > 0.05
    return np.array(steps[2::3])


def test_deletion_and_insertion_are_quantus_pixel_flipping(quantus, model, photo, heat):
    def logits(batch):
        return model(batch.astype(np.float32), training=False).numpy()

    def put_back(arr, indices, **_):
        filled = arr.copy()
        filled[0, indices[0]] = photo.transpose(2, 0, 1).ravel()[indices[0]]  # channels come first within Quantus
        return filled

    found = curves(logits, photo, [heat], ClassTarget(LABEL))[0]
    gone = flip(quantus, model, photo, heat, perturb_baseline=float(mean_colour_photo(photo)[0, 0, 0]))
    np.testing.assert_allclose(found.deletion[1:], gone, atol=1e-5)
    back = flip(quantus, model, blurred_photo(photo), heat, perturb_func=put_back)
    # (Quantus' own areas under curves call numpy.trapz, which is gone.)
    np.testing.assert_allclose(found.insertion[1:], back, atol=1e-5)


def test_the_share_of_heat_on_the_flower_is_quantus_relevance_mass_accuracy(quantus, model, photo, heat):
    mask = np.hypot(*(np.indices((SIZE, SIZE)) - 13)) < 9
    explained = Explanation("any", ClassTarget(1), heat, 0.0, "logit", (0, 0, SIZE, SIZE), (SIZE, SIZE), 0.0)
    theirs = quantus.RelevanceMassAccuracy(**PLAIN)(
        model=model,
        x_batch=photo[None].astype(np.float32),
        y_batch=np.array([0]),
        a_batch=np.maximum(heat, 0)[None, ..., None],
        s_batch=mask[None, None],
        channel_first=False,
    )
    share = localize(explained, mask)
    assert share is not None
    assert share.mass == pytest.approx(theirs[0], rel=1e-5)


def test_the_brightest_part_on_the_flower_is_quantus_relevance_rank_accuracy(quantus, model, photo, heat):
    mask = np.hypot(*(np.indices((SIZE, SIZE)) - 13)) < 9
    explained = Explanation("any", ClassTarget(1), heat, 0.0, "logit", (0, 0, SIZE, SIZE), (SIZE, SIZE), 0.0)
    theirs = quantus.RelevanceRankAccuracy(**PLAIN)(
        model=model,
        x_batch=photo[None].astype(np.float32),
        y_batch=np.array([0]),
        a_batch=heat[None, ..., None],
        s_batch=mask[None, None],
        channel_first=False,
    )
    assert rank_accuracy(explained, mask) == pytest.approx(theirs[0], abs=1e-6)
    assert 0.1 < theirs[0] < 0.9


def test_the_sanity_check_agrees_with_quantus_model_parameter_randomisation(quantus, network):
    """Quantus shuffles the layers, one at a time, and correlates; here its maps are caught and compared again."""
    photos = np.stack([small_photo(seed) for seed in range(3)])
    labels = np.arange(1, 4)
    caught: list[np.ndarray] = []

    def maps(model, inputs, targets, **_):
        if inputs.shape[1] == 3:  # channels come last at first, and first later
            inputs = inputs.transpose(0, 2, 3, 1)
        gradients = Gradients(model)
        found = [
            in_model_frame(
                explain_grad_cam(subject(pixels, gradients=lambda: gradients), ClassTarget(int(target) + 1)), SMALL
            )
            for pixels, target in zip(inputs, targets, strict=True)
        ]
        caught.append(np.stack(found))
        return np.stack(found)[:, None]

    theirs = quantus.MPRT(layer_order="independent", **PLAIN)(
        model=network,
        x_batch=photos.astype(np.float32),
        y_batch=labels - 1,
        explain_func=maps,
        channel_first=False,
    )
    trained = caught[0]
    shuffled = dict(zip([name for name in theirs if name != "original"], caught[-len(theirs) + 1 :], strict=True))
    assert "logits" in shuffled
    for name, layer in shuffled.items():
        ours = [compare(one, other).rank_correlation for one, other in zip(trained, layer, strict=True)]
        np.testing.assert_allclose(ours, theirs[name], atol=1e-6)
        assert max(np.abs(ours)) < 0.95


def test_what_road_fills_in_is_quantus_noisy_linear_imputation(quantus):
    random = np.random.default_rng(3)
    pixels = random.random((20, 20, 3))
    gone = random.random((20, 20)) < 0.6
    gone[:4, :6] = True
    fill = quantus.functions.perturb_func.noisy_linear_imputation
    theirs = fill(pixels.transpose(2, 0, 1), np.flatnonzero(gone), noise=0)
    np.testing.assert_allclose(imputed(pixels, gone), theirs.transpose(1, 2, 0), atol=1e-6)


def test_the_rise_of_complexity_is_quantus_efficient_mprt(quantus):
    """Quantus' maps are drawn instead of computed: the same ones for the trained network, others for the shuffled."""
    import keras

    # Quantus hands its photos to Keras with the channels first: in a cube that makes no difference.
    photos = keras.Input((16, 16, 16))
    cube = keras.Model(photos, keras.layers.Dense(3)(keras.layers.Flatten()(photos)))
    random = np.random.default_rng(4)
    trained, shuffled = random.random((3, 1, 16, 16)) ** 4, random.normal(size=(3, 1, 16, 16))
    asked: list[object] = []

    def maps(model, **_):
        asked.append(model)
        return trained if model is asked[0] else shuffled

    theirs = quantus.EfficientMPRT(complexity_func_kwargs={"n_bins": 100}, disable_warnings=True)(
        model=cube,
        x_batch=random.random((3, 16, 16, 16)).astype(np.float32),
        y_batch=np.arange(3),
        explain_func=maps,
        channel_first=False,
    )
    ours = [complexity_rise(one, other) for one, other in zip(trained, shuffled, strict=True)]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert all(rise is not None and rise > 0.01 for rise in ours)
