"""Grad-CAM++: channels weighted by their positive gradients, so that several flowers of one kind all count.

Chattopadhyay et al. 2018, "Grad-CAM++: Improved Visual Explanations for Deep Convolutional Networks", arXiv 1710.11063.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from flowers_core.explain.base import Box, Explanation, Target
from flowers_core.explain.gradients import Gradients

METHOD = "grad_cam_plus_plus"


def explain_grad_cam_plus_plus(
    gradients: Gradients, pixels: npt.NDArray[np.uint8], target: Target, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Σ_c w_c · A_c with w_c = Σ_ij α_ij · ReLU(∂score/∂A_c,ij) at the layer of `gradients`.

    Args:
        gradients: of the classifier, at the layer of choice.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        target: a class, or a class against another.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.

    Returns:
        Explanation in "relative": the method's numbers are on no scale of their own.

    Raises:
        ValueError: as Gradients.at_layer.
    """
    started = time.perf_counter()
    slopes = gradients.at_layer(pixels, target)
    contributions = (slopes.activations @ channel_weights(slopes.activations, slopes.gradients)).astype(np.float32)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions,
        value=float(contributions.sum(dtype=np.float64)),
        unit="relative",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={"layer": gradients.layer, "score": slopes.score},
    )


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
