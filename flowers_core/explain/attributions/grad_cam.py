"""Grad-CAM: each channel of a layer weighted by its mean gradient.

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", arXiv
1610.02391. At the last feature map it equals `cam`, which needs no gradient. This one is for earlier layers.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradient_cam import weighted_activations
from flowers_core.explain.attributions.gradients import LayerGradients

METHOD = "grad_cam"


def mean_gradients(at_layer: LayerGradients) -> npt.NDArray[np.float64]:
    """Σ_c mean(∂score/∂A_c) · A_c at each position, (h, w).

    In logits. The sum is the score to first order if each channel's gradient is the same everywhere, as it is at the
    last layer.
    """
    return at_layer.activations @ at_layer.gradients.mean(axis=(0, 1), dtype=np.float64)


#: (subject, target) → the Grad-CAM map, as `weighted_activations` gives it.
explain_grad_cam = partial(weighted_activations, METHOD, "logit", mean_gradients)
