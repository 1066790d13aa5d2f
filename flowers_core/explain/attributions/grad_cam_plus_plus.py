"""Grad-CAM++: channels weighted by their positive gradients, so that several flowers of one kind all count.

Chattopadhyay et al. 2018, "Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks", arXiv 1710.11063.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradient_cam import layer_map
from flowers_core.explain.attributions.gradients import Slopes

METHOD = "grad_cam_plus_plus"


def weighted_channels(slopes: Slopes) -> npt.NDArray[np.float64]:
    """Σ_c w_c · A_c at each position, (h, w), with w_c = Σ_ij α_ij · ReLU(∂score/∂A_c,ij).

    In "relative": the method's numbers are on no scale of their own.
    """
    return slopes.activations @ channel_weights(slopes.activations, slopes.gradients)


def channel_weights(
    activations: npt.NDArray[np.floating], gradients: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """The paper's weight of each channel, (c,), without the factor exp(score) that all share.

    The paper takes the exponential of the logit as its score so that higher derivatives are powers of the first, and
    the exponential cancels everywhere but in that factor, where it would overflow for a sure enough model.

    Args:
        activations: (h, w, c).
        gradients: (h, w, c), of the logit.
    """
    slope = gradients.astype(np.float64)
    squared = slope**2
    denominator = 2 * squared + slope**3 * activations.astype(np.float64).sum(axis=(0, 1))
    alpha = squared / np.where(denominator == 0, 1, denominator)
    total = alpha.sum(axis=(0, 1))
    alpha /= np.where(total == 0, 1, total)
    return (np.maximum(slope, 0) * alpha).sum(axis=(0, 1))


explain_grad_cam_plus_plus = layer_map(METHOD, "relative", weighted_channels)
