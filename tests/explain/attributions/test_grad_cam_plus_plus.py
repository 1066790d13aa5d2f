"""Grad-CAM++ against tf-keras-vis, and by hand."""

import numpy as np
import pytest

from flowers_core.explain.attributions.grad_cam_plus_plus import channel_weights, explain_grad_cam_plus_plus
from flowers_core.explain.attributions.tf_keras_vis_reference import explain_by_tf_keras_vis
from flowers_core.explain.explanation import ClassTarget, ContrastTarget


@pytest.mark.parametrize("layer", ["early", "features"])
@pytest.mark.parametrize("target", [ClassTarget(1), ClassTarget(5), ContrastTarget(2, 4)])
def test_it_is_tf_keras_vis_but_for_a_factor(network, subject_at, layer, target):
    ours = explain_grad_cam_plus_plus(subject_at(layer), target)
    theirs = explain_by_tf_keras_vis("grad_cam_plus_plus", network, subject_at(layer), target, layer=layer)
    assert theirs.contributions.any()
    # The factor is exp(score), which they keep and which overflows for a sure enough model.
    expected = theirs.contributions / np.exp(ours.settings["score"])
    np.testing.assert_allclose(np.maximum(ours.contributions, 0), expected, rtol=1e-3, atol=1e-6 * expected.max())


def test_weights_by_hand():
    # One channel, gradients 1 and −1 (and 0), activations 2, 1, 3: their sum is 6.
    activations = np.array([[2.0, 1.0, 3.0]])[..., None]
    gradients = np.array([[1.0, -1.0, 0.0]])[..., None]
    # α: 1 / (2 + 6) = 1/8; 1 / (2 − 6) = −1/4; 0. They add up to −1/8, so the first becomes −1. Its gradient is 1.
    assert channel_weights(activations, gradients) == pytest.approx([-1.0])
    assert channel_weights(activations, np.zeros_like(gradients)) == pytest.approx([0.0])


def test_a_very_sure_model_does_not_overflow():
    activations = np.ones((4, 4, 3))
    weights = channel_weights(activations, np.full((4, 4, 3), 500.0))
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
