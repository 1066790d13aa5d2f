"""What Grad-CAM, Grad-CAM++ and LayerCAM share: one layer's activations, weighted by the score's gradients there.

A method is its rule of weighting; how the network is asked, the map laid over the photo and the result told is here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradients import Gradients, Slopes
from flowers_core.explain.explanation import Box, Explanation, FloatArray, Target

#: A layer's activations and gradients, each (h, w, c), to each position's part of the map, (h, w).
Rule = Callable[[Slopes], FloatArray]


class ExplainLayer(Protocol):
    """A method that explains a photo by one layer of the network."""

    def __call__(
        self,
        gradients: Gradients,
        pixels: npt.NDArray[np.uint8],
        target: Target,
        *,
        box: Box,
        photo_size: tuple[int, int],
    ) -> Explanation:
        """The map at the layer of `gradients`.

        Args:
            gradients: of the classifier, at the layer of choice.
            pixels: (s, s, 3) uint8, ModelInput.pixels.
            target: a class, or a class against another.
            box: ModelInput.box.
            photo_size: (width, height) of the photo.

        Returns:
            Explanation whose negative parts are kept where the rule has any: ReLU is a matter of drawing. Its settings
            hold the `layer` and the `score`, the logit or the gap between two.

        Raises:
            ValueError: as Gradients.at_layer.
        """


def layer_map(method: str, unit: str, rule: Rule) -> ExplainLayer:
    """The method of this name and unit that weighs by this rule."""

    def explain(
        gradients: Gradients, pixels: npt.NDArray[np.uint8], target: Target, *, box: Box, photo_size: tuple[int, int]
    ) -> Explanation:
        started = time.perf_counter()
        slopes = gradients.at_layer(pixels, target)
        contributions = rule(slopes)
        return Explanation(
            method=method,
            target=target,
            contributions=contributions.astype(np.float32),
            value=float(contributions.sum(dtype=np.float64)),
            unit=unit,
            box=box,
            photo_size=photo_size,
            seconds=time.perf_counter() - started,
            settings={"layer": gradients.layer, "score": slopes.score},
        )

    explain.__doc__ = ExplainLayer.__call__.__doc__
    return explain
