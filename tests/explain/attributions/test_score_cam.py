"""Score-CAM against tf-keras-vis, and on a model whose answer is known."""

import numpy as np
import pytest
from PIL import Image

from flowers_core.explain.attributions.score_cam import channel_mask, explain_score_cam, most_varied
from flowers_core.explain.attributions.tf_keras_vis_reference import explain_by_tf_keras_vis
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, to_photo
from flowers_core.explain.perturbation import ExplanationStopped
from flowers_core.networks.compiled import compiled
from tests.fixtures.small_network import SIZE, photo
from tests.fixtures.subjects import subject


def enlarge(activations, factor, **_):
    """What tf-keras-vis asks of SciPy's zoom, with pixels at the centres of their squares as this project has it."""
    maps = np.asarray(activations)[0]
    size = round(maps.shape[0] * factor[1])
    laid = [to_photo(maps[..., c], (0, 0, size, size), (size, size)) for c in range(maps.shape[-1])]
    return np.stack(laid, axis=-1)[None]


@pytest.mark.parametrize("channels", [None, 5])
@pytest.mark.parametrize("layer", ["early", "features"])
def test_it_is_tf_keras_vis(network, gradients_at, subject_at, monkeypatch, layer, channels):
    import tf_keras_vis.scorecam

    monkeypatch.setattr(tf_keras_vis.scorecam, "zoom", enlarge)
    predict = network.predict
    monkeypatch.setattr(network, "predict", lambda photos, **options: predict(photos, verbose=0, **options))
    activations = gradients_at(layer).at_layer(photo(), ClassTarget(2)).activations
    ours = explain_score_cam(
        subject(photo(), compiled(network)), ClassTarget(2), activations=activations, channels=channels, layer=layer
    )
    theirs = explain_by_tf_keras_vis(
        "score_cam", network, subject_at(layer), ClassTarget(2), layer=layer, max_N=channels or -1
    )
    # Ours are photos in whole grey levels, as any model of this project takes them; theirs in fractions.
    seen = np.maximum(ours.contributions, 0)
    np.testing.assert_allclose(seen, theirs.contributions, atol=2e-3 * theirs.contributions.max())
    assert ours.settings["channels"] == (channels or activations.shape[-1])


def test_masks_are_pillows_enlargement_stretched():
    activation = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    laid = np.asarray(Image.fromarray(activation).resize((56, 56), Image.Resampling.BILINEAR))
    expected = (laid - laid.min()) / (laid.max() - laid.min())
    np.testing.assert_allclose(channel_mask(activation, 56), expected, atol=1e-5)
    assert not channel_mask(np.full((7, 7), 3.0, np.float32), 56).any()


def test_the_most_varied_channels_come_first():
    activations = np.random.default_rng(1).normal(size=(6, 6, 4)) * [1, 9, 3, 0.1]
    np.testing.assert_array_equal(most_varied(activations, 2), activations[..., [1, 2]])
    assert most_varied(activations, None) is activations


def red_at_the_left(batch: np.ndarray) -> np.ndarray:
    """Two classes; the second is as probable as the left half is red."""
    probability = 0.05 + 0.9 * batch[:, :, : SIZE // 2, 0].mean(axis=(1, 2)) / 255
    return np.log(np.column_stack([1 - probability, probability]))


def test_a_channel_that_lights_what_the_model_looks_at_wins():
    activations = np.zeros((2, 2, 2), np.float32)
    activations[:, 0, 0] = 1  # lights the left half
    activations[:, 1, 1] = 1  # the right half
    red = np.zeros((SIZE, SIZE, 3), np.uint8)
    red[..., 0] = 200
    explained = explain_score_cam(subject(red, red_at_the_left, features=activations), ClassTarget(2))
    # Bilinear masks over 32 pixels: 1 up to the middle of the first cell, then down to ½ at the border: 7/8 on average.
    left, right = 0.05 + 0.9 * 200 / 255 * 0.875, 0.05 + 0.9 * 200 / 255 * 0.125
    np.testing.assert_allclose(explained.contributions, [[left, right]] * 2, atol=2e-3)
    against = explain_score_cam(subject(red, red_at_the_left, features=activations), ContrastTarget(1, 2))
    np.testing.assert_allclose(against.contributions, [[1 - left, 1 - right]] * 2, atol=2e-3)


def test_progress_stopping_and_refusals():
    calls = []
    activations = np.random.default_rng(2).random((4, 4, 40))
    arguments = (subject(photo(), red_at_the_left, features=activations), ClassTarget(1))
    explain_score_cam(*arguments, progress=lambda *done: calls.append(done))
    assert calls == [(0, 40), (32, 40), (40, 40)]
    with pytest.raises(ExplanationStopped):
        explain_score_cam(*arguments, progress=lambda done, _: done < 32)
    with pytest.raises(ValueError, match="one channel or more"):
        explain_score_cam(*arguments, channels=0)
    with pytest.raises(ValueError, match=r"\(h, w, c\)"):
        explain_score_cam(*arguments, activations=activations[None])
