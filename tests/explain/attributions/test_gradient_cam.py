"""Grad-CAM, Grad-CAM++ and LayerCAM against tf-keras-vis."""

import numpy as np
import pytest

from flowers_core.explain.attributions.tf_keras_vis_reference import explain_by_tf_keras_vis
from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.methods import METHODS


@pytest.mark.parametrize("layer", ["early", "features"])
@pytest.mark.parametrize("target", [ClassTarget(1), ClassTarget(5), ContrastTarget(2, 4)])
@pytest.mark.parametrize("method", ["grad_cam", "layer_cam", "grad_cam_plus_plus"])
def test_it_is_tf_keras_vis(network, subject_at, layer, target, method):
    ours = METHODS[method].run(subject_at(layer), target)
    expected = explain_by_tf_keras_vis(method, network, subject_at(layer), target, layer=layer).contributions
    assert expected.any()
    relative, absolute = 1e-4, 1e-6
    if method == "grad_cam_plus_plus":
        # They keep the factor exp(score), which overflows for a sure enough model.
        expected = expected / np.exp(ours.settings["score"])
        relative, absolute = 1e-3, 1e-6 * float(expected.max())
    np.testing.assert_allclose(np.maximum(ours.contributions, 0), expected, rtol=relative, atol=absolute)
    assert ours.value == pytest.approx(ours.contributions.sum(), rel=1e-4)
