"""Agreement of maps: of two methods on one photo, or of two runs of one method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from PIL import Image

from flowers_core.explain.explanation import Explanation, FloatArray
from flowers_core.explain.metrics.faithfulness import brightness_rank, in_model_frame

#: Maps are compared at this many cells a side. Finer maps are averaged, so that fine noise is not disagreement.
CELLS = 28
#: Fraction of the map that counts as its brightest part.
TOP_FRACTION = 0.2


@dataclass(frozen=True)
class Agreement:
    """Agreement of two maps.

    Attributes:
        rank_correlation: Spearman's, −1…1; 0 if a map is constant.
        overlap: fraction of one map's brightest fifth that is in the other's, 0…1; 0.2 for independent maps.
    """

    rank_correlation: float
    overlap: float


def agreement(one: Explanation, other: Explanation, size: int) -> Agreement:
    """Agreement of two maps of the same photo, of any resolution.

    Args:
        one: a map.
        other: another.
        size: side of the model's input, in pixels; both maps are in its frame.
    """
    return compare(at_cells(one, size), at_cells(other, size))


def top_superpixel_overlap(runs: Sequence[Explanation], top: int = 5) -> float:
    """Jaccard index of the `top` strongest superpixels, averaged over all pairs of runs.

    Args:
        runs: two or more, over the same superpixels.
        top: how many superpixels of each run are compared.

    Returns:
        0…1; 1 if all runs have the same ones.

    Raises:
        ValueError: if there are fewer than two runs, or they are not over the same superpixels.
    """
    if len(runs) < 2 or any(run.superpixels is None or (run.superpixels != runs[0].superpixels).any() for run in runs):
        raise ValueError("Two runs or more over the same superpixels are needed.")
    chosen = [set(np.argsort(-run.terms, kind="stable")[:top].tolist()) for run in runs]
    return float(np.mean([len(one & other) / len(one | other) for one, other in combinations(chosen, 2)]))


def at_cells(explanation: Explanation, size: int) -> npt.NDArray[np.float32]:
    """The map in the model's frame as means over cells.

    Args:
        explanation: a map.
        size: side of the model's input, in pixels.

    Returns:
        (CELLS, CELLS) float32, or (size, size) of a smaller input.
    """
    cells = min(CELLS, size)
    heat = Image.fromarray(in_model_frame(explanation, size))
    return np.asarray(heat.resize((cells, cells), Image.Resampling.BOX))


def compare(one: FloatArray, other: FloatArray) -> Agreement:
    """Agreement of two arrays.

    Args:
        one: a map.
        other: another of the same shape.
    """
    # scipy.stats is slow to load, and a page that opens does not compare maps.
    from scipy.stats import spearmanr

    constant = any(np.ptp(heat) == 0 for heat in (one, other))
    correlation = 0.0 if constant else float(spearmanr(one.ravel(), other.ravel()).statistic)
    count = round(TOP_FRACTION * one.size)
    bright = [brightness_rank(heat) < count for heat in (one, other)]
    return Agreement(correlation, float((bright[0] & bright[1]).sum() / count))
