"""Prediction sets, which mostly hold the true class, and the genus or family that all of a set's classes share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.taxonomy import Taxonomy


@dataclass(frozen=True)
class SetRule:
    """Which classes belong to a photo's prediction set.

    The most probable class always does. Another class does if the more probable classes together have at most `mass`
    and its own probability is at least `least`. These are adaptive sets (Romano et al. 2020, arXiv 2006.02544) without
    their long tails. If the confidence of the predicted class exceeds `mass`, the set is that class alone.

    Attributes:
        mass, least: in [0, 1], compared with probabilities whose largest is the photo's confidence.
        coverage, corrupted_coverage: fraction of clean or corrupted validation photos whose set holds the true class.
        size, corrupted_size: mean number of classes in the sets of clean or corrupted validation photos.
    """

    mass: float
    least: float
    coverage: float
    corrupted_coverage: float
    size: float
    corrupted_size: float

    def __post_init__(self) -> None:
        if not (0 <= self.mass <= 1 and 0 <= self.least <= 1):
            raise ValueError("the mass and the least probability of a rule for sets lie between 0 and 1.")


def in_set(probabilities: ArrayLike, mass: float, least: float) -> NDArray[np.bool_]:
    """Which classes belong to the sets of n photos by a `SetRule`.

    Args:
        probabilities: (n, classes).
        mass, least: of the rule.

    Returns:
        (n, classes) bool.
    """
    values = np.asarray(probabilities, np.float64)
    order = np.argsort(-values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=1)
    chosen = (ranked.cumsum(axis=1) - ranked <= mass) & (ranked >= least)
    chosen[:, 0] = True
    found = np.zeros_like(chosen)
    np.put_along_axis(found, order, chosen, axis=1)
    return found


def common_taxon(labels: Collection[int], taxonomy: Taxonomy) -> str | None:
    """The genus that all classes belong to, else the family.

    Args:
        labels: the classes, at least one.
        taxonomy: their taxonomy.

    Returns:
        The Latin name; None if the classes share neither.
    """
    taxa = [taxonomy[label] for label in labels]
    genera, families = {taxon.genus for taxon in taxa}, {taxon.known_family for taxon in taxa}
    if len(genera) == 1 and None not in genera:
        return genera.pop()
    return families.pop() if len(families) == 1 else None
