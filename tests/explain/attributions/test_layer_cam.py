"""LayerCAM against tf-keras-vis."""

import numpy as np
import pytest

from flowers_core.explain.attributions.layer_cam import explain_layer_cam
from flowers_core.explain.attributions.tf_keras_vis_reference import explain_by_tf_keras_vis
from flowers_core.explain.explanation import ClassTarget, ContrastTarget


@pytest.mark.parametrize("layer", ["early", "features"])
@pytest.mark.parametrize("target", [ClassTarget(1), ClassTarget(5), ContrastTarget(2, 4)])
def test_it_is_tf_keras_vis(network, subject_at, layer, target):
    ours = explain_layer_cam(subject_at(layer), target)
    theirs = explain_by_tf_keras_vis("layer_cam", network, subject_at(layer), target, layer=layer)
    assert theirs.contributions.any()
    np.testing.assert_allclose(np.maximum(ours.contributions, 0), theirs.contributions, rtol=1e-4, atol=1e-6)
    assert ours.value == pytest.approx(ours.contributions.sum(), rel=1e-4)
