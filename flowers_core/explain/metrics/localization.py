"""Localization: how much of a map's relevance lies on the flower, and how much of its brightest part.

The relevance mass accuracy and the relevance rank accuracy of Arras, Osman and Samek 2022 ("CLEVR-XAI: A benchmark
dataset for the ground truth evaluation of neural network explanations", Information Fusion 81, arXiv 2003.07258),
beside the fraction of the area that is flower. A uniform map reaches that fraction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import Explanation, pixels_inside
from flowers_core.explain.metrics.faithfulness import brightness_rank


@dataclass(frozen=True)
class Localization:
    """Where a map's positive contributions lie.

    Attributes:
        mass: fraction of them on the flower, 0…1.
        area: fraction of what the model saw that is flower, 0…1.
    """

    mass: float
    area: float

    @property
    def ratio(self) -> float:
        """mass ÷ area: 1 for a uniform map, above 1 if the map prefers the flower."""
        return self.mass / self.area


def localize(explanation: Explanation, mask: npt.NDArray[np.bool_]) -> Localization | None:
    """How much of a map's positive contributions lies on the flower.

    Args:
        explanation: of the photo.
        mask: (height, width) of the photo, True on the flower.

    Returns:
        Localization within what the model saw; None if no contribution is positive, or the model saw no flower.

    Raises:
        ValueError: if mask and photo differ in size.
    """
    heat, flower = _seen(explanation, mask)
    heat = np.maximum(heat, 0)
    total, area = float(heat.sum(dtype=np.float64)), float(flower.mean())
    if total <= 0 or area == 0:
        return None
    return Localization(mass=float(heat[flower].sum(dtype=np.float64)) / total, area=area)


def rank_accuracy(explanation: Explanation, mask: npt.NDArray[np.bool_]) -> float | None:
    """How much of a map's brightest part lies on the flower, if that part is as large as the flower.

    Args:
        explanation: of the photo.
        mask: (height, width) of the photo, True on the flower.

    Returns:
        0…1, within what the model saw; None if the model saw no flower.

    Raises:
        ValueError: if mask and photo differ in size.
    """
    heat, flower = _seen(explanation, mask)
    size = int(flower.sum())
    return float(flower[brightness_rank(heat) < size].mean()) if size else None


def _seen(
    explanation: Explanation, mask: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Map and mask over what the model saw of the photo."""
    heat = explanation.heatmap()
    if heat.shape != mask.shape:
        raise ValueError(f"A mask of {mask.shape} does not fit a photo of {heat.shape}.")
    left, top, right, bottom = explanation.box
    seen = pixels_inside(mask.shape[0], top, bottom), pixels_inside(mask.shape[1], left, right)
    return heat[seen], mask[seen]
