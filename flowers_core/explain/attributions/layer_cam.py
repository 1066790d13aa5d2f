"""LayerCAM: each position of each channel weighted by its own gradient, if that is positive.

Jiang et al. 2021, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", IEEE Transactions on Image
Processing 30. Made for early layers, where one weight for a whole channel is too coarse.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradient_cam import weighted_activations
from flowers_core.explain.attributions.gradients import LayerGradients
from flowers_core.explain.explanation import Explanation, Target
from flowers_core.explain.subject import Subject

METHOD = "layer_cam"


def explain_layer_cam(subject: Subject, target: Target) -> Explanation:
    """The LayerCAM map.

    Args:
        subject: the photo, and a model with gradients.
        target: a class, or a class against another.

    Returns:
        Explanation in "logit", see `weighted_activations`.

    Raises:
        ValueError: as `weighted_activations`.
    """
    return weighted_activations(METHOD, "logit", positive_gradients, subject, target)


def positive_gradients(at_layer: LayerGradients) -> npt.NDArray[np.float64]:
    """Σ_c ReLU(∂score/∂A_c) · A_c at each position, (h, w).

    In logits. Only what speaks for the target counts: gradients against it are left out.
    """
    return (np.maximum(at_layer.gradients, 0) * at_layer.activations).sum(axis=-1, dtype=np.float64)
