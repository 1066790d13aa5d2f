"""Grad-CAM: each channel of a layer weighted by its mean gradient.

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", arXiv
1610.02391. At the last feature map it is `cam`, for which no gradient is needed; this is for the layers before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradient_cam import layer_map
from flowers_core.explain.attributions.gradients import Slopes

METHOD = "grad_cam"


def mean_gradients(slopes: Slopes) -> npt.NDArray[np.float64]:
    """Σ_c mean(∂score/∂A_c) · A_c at each position, (h, w).

    In logits: the score to first order, as far as each channel's gradient is the same everywhere (wholly so at the last
    layer).
    """
    return slopes.activations @ slopes.gradients.mean(axis=(0, 1), dtype=np.float64)


explain_grad_cam = layer_map(METHOD, "logit", mean_gradients)
