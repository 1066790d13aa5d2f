"""Grad-CAM: each channel of a layer weighted by its mean gradient.

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", arXiv
1610.02391. At the last feature map it equals `cam`, which needs no gradient. This one is for earlier layers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradient_cam import weighted_activations
from flowers_core.explain.attributions.gradients import LayerGradients
from flowers_core.explain.explanation import Explanation, Target
from flowers_core.explain.subject import Subject

METHOD = "grad_cam"


def explain_grad_cam(subject: Subject, target: Target) -> Explanation:
    """The Grad-CAM map.

    Args:
        subject: the photo, and a model with gradients.
        target: a class, or a class against another.

    Returns:
        Explanation in "logit", see `weighted_activations`.

    Raises:
        ValueError: as `weighted_activations`.
    """
    return weighted_activations(METHOD, "logit", mean_gradients, subject, target)


def mean_gradients(at_layer: LayerGradients) -> npt.NDArray[np.float64]:
    """Σ_c mean(∂score/∂A_c) · A_c at each position, (h, w).

    In logits. The sum is the score to first order if each channel's gradient is the same everywhere, as it is at the
    last layer.
    """
    return at_layer.activations @ at_layer.gradients.mean(axis=(0, 1), dtype=np.float64)
