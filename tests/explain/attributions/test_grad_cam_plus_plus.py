"""The weights of Grad-CAM++ by hand."""

import numpy as np
import pytest

from flowers_core.explain.attributions.grad_cam_plus_plus import channel_weights


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
