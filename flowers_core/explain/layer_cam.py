"""LayerCAM: each position of each channel weighted by its own gradient, where that is positive.

Jiang et al. 2021, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", IEEE Transactions on Image
Processing 30. Made for early layers, where one weight for a whole channel says too little.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from flowers_core.explain.base import Box, Explanation, Target
from flowers_core.explain.gradients import Gradients

METHOD = "layer_cam"


def explain_layer_cam(
    gradients: Gradients, pixels: npt.NDArray[np.uint8], target: Target, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Σ_c ReLU(∂score/∂A_c) · A_c at the layer of `gradients`, position by position.

    Args:
        gradients: of the classifier, at the layer of choice.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        target: a class, or a class against another.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.

    Returns:
        Explanation in logits, of what speaks for the target only: gradients against it are left out.

    Raises:
        ValueError: as Gradients.at_layer.
    """
    started = time.perf_counter()
    slopes = gradients.at_layer(pixels, target)
    contributions = (np.maximum(slopes.gradients, 0) * slopes.activations).sum(axis=-1, dtype=np.float64)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions.astype(np.float32),
        value=float(contributions.sum()),
        unit="logit",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={"layer": gradients.layer, "score": slopes.score},
    )
