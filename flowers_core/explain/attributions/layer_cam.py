"""LayerCAM: each position of each channel weighted by its own gradient, if that is positive.

Jiang et al. 2021, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", IEEE Transactions on Image
Processing 30. Made for early layers, where one weight for a whole channel is too coarse.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradient_cam import weighted_activations
from flowers_core.explain.attributions.gradients import LayerGradients

METHOD = "layer_cam"


def positive_gradients(at_layer: LayerGradients) -> npt.NDArray[np.float64]:
    """Σ_c ReLU(∂score/∂A_c) · A_c at each position, (h, w).

    In logits. Only what speaks for the target counts: gradients against it are left out.
    """
    return (np.maximum(at_layer.gradients, 0) * at_layer.activations).sum(axis=-1, dtype=np.float64)


#: (subject, target) → the LayerCAM map, as `weighted_activations` gives it.
explain_layer_cam = partial(weighted_activations, METHOD, "logit", positive_gradients)
