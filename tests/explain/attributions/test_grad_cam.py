"""Grad-CAM against the closed form where that holds."""

import numpy as np
import pytest

from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.attributions.grad_cam import explain_grad_cam
from flowers_core.explain.explanation import ClassTarget
from tests.fixtures.small_network import FRAME, photo


def test_at_the_last_layer_it_is_the_closed_form(network, gradients_at, subject_at):
    at_layer = gradients_at("features").at_layer(photo(2), ClassTarget(3))
    head, bias = network.get_layer("logits").get_weights()
    closed = class_evidence(at_layer.activations, head, 3, **FRAME)
    ours = explain_grad_cam(subject_at("features", photo(2)), ClassTarget(3))
    np.testing.assert_allclose(ours.contributions, closed.contributions, atol=1e-6)
    assert ours.value + bias[2] == pytest.approx(at_layer.score, abs=1e-4)
    assert (ours.method, ours.unit, ours.target) == ("grad_cam", "logit", ClassTarget(3))
    assert ours.settings["layer"] == "features"
    assert ours.contributions.min() < 0  # what speaks against is kept
