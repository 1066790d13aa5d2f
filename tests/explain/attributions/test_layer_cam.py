"""The rule of LayerCAM by hand."""

import numpy as np

from flowers_core.explain.attributions.gradients import LayerGradients
from flowers_core.explain.attributions.layer_cam import positive_gradients


def test_only_what_speaks_for_the_target_counts() -> None:
    """Two positions of two channels: 2 · 3 and nothing; nothing and 5 · 1."""
    activations = np.array([[[2.0, 4.0], [7.0, 5.0]]])
    gradients = np.array([[[3.0, -1.0], [0.0, 1.0]]])
    np.testing.assert_array_equal(positive_gradients(LayerGradients(activations, gradients, 1.0)), [[6.0, 5.0]])
