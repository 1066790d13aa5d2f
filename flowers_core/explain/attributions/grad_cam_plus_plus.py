"""Grad-CAM++: channels weighted by their positive gradients, so that several flowers of one kind all count.

Chattopadhyay et al. 2018, "Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks", arXiv 1710.11063.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradient_cam import weighted_activations
from flowers_core.explain.attributions.gradients import LayerGradients

METHOD = "grad_cam_plus_plus"


def weighted_channels(at_layer: LayerGradients) -> npt.NDArray[np.float64]:
    """Σ_c w_c · A_c at each position, (h, w), with w_c = Σ_ij α_ij · ReLU(∂score/∂A_c,ij)."""
    return at_layer.activations @ channel_weights(at_layer.activations, at_layer.gradients)


def channel_weights(
    activations: npt.NDArray[np.floating], gradients: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """The paper's weight of each channel, without the factor exp(score) that all share.

    The paper's score is the exponential of the logit, which makes higher derivatives powers of the first. The
    exponential cancels everywhere but in that factor, where a confident model would make it overflow.

    Args:
        activations: (h, w, c).
        gradients: (h, w, c), of the logit.

    Returns:
        (c,) float64.
    """
    gradient = gradients.astype(np.float64)
    squared = gradient**2
    denominator = 2 * squared + gradient**3 * activations.astype(np.float64).sum(axis=(0, 1))
    alpha = squared / np.where(denominator == 0, 1, denominator)
    total = alpha.sum(axis=(0, 1))
    alpha /= np.where(total == 0, 1, total)
    return (np.maximum(gradient, 0) * alpha).sum(axis=(0, 1))


#: (subject, target) → the Grad-CAM++ map, as `weighted_activations` gives it. Its numbers are on no scale.
explain_grad_cam_plus_plus = partial(weighted_activations, METHOD, "relative", weighted_channels)
