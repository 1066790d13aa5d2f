"""Grad-CAM: each channel of a layer weighted by its mean gradient.

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", arXiv
1610.02391. At the last feature map it is `cam`, for which no gradient is needed; this is for the layers before.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from flowers_core.explain.base import Box, Explanation, Target
from flowers_core.explain.gradients import Gradients

METHOD = "grad_cam"


def explain_grad_cam(
    gradients: Gradients, pixels: npt.NDArray[np.uint8], target: Target, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Σ_c mean(∂score/∂A_c) · A_c at the layer of `gradients`.

    Args:
        gradients: of the classifier, at the layer of choice.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        target: a class, or a class against another.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.

    Returns:
        Explanation whose negative parts are kept: ReLU is a matter of drawing. In logits: the score to first order, as
        far as each channel's gradient is the same everywhere (wholly so at the last layer).

    Raises:
        ValueError: as Gradients.at_layer.
    """
    started = time.perf_counter()
    slopes = gradients.at_layer(pixels, target)
    weights = slopes.gradients.astype(np.float64).mean(axis=(0, 1))
    contributions = (slopes.activations @ weights).astype(np.float32)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions,
        value=float(contributions.sum(dtype=np.float64)),
        unit="logit",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={"layer": gradients.layer, "score": slopes.score},
    )
