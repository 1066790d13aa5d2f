"""Localization: how much of a map's relevance lies on the flower.

The relevance mass accuracy of Arras, Osman and Samek 2022 ("CLEVR-XAI: A benchmark dataset for the ground truth
evaluation of neural network explanations", Information Fusion 81, arXiv 2003.07258), beside the fraction of the area
that is flower. A uniform map reaches that fraction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import Explanation, pixels_inside


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
    heat = np.maximum(explanation.heatmap(), 0)
    if heat.shape != mask.shape:
        raise ValueError(f"A mask of {mask.shape} does not fit a photo of {heat.shape}.")
    left, top, right, bottom = explanation.box
    seen = pixels_inside(mask.shape[0], top, bottom), pixels_inside(mask.shape[1], left, right)
    total, area = float(heat[seen].sum(dtype=np.float64)), float(mask[seen].mean())
    if total <= 0 or area == 0:
        return None
    return Localization(mass=float(heat[seen][mask[seen]].sum(dtype=np.float64)) / total, area=area)
