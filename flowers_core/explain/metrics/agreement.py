"""Whether maps agree: two methods on one photo, or one method with itself when it is run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.stats import rankdata

from flowers_core.explain.explanation import Explanation, FloatArray
from flowers_core.explain.metrics.faithfulness import brightness_rank, in_model_frame

#: Maps are compared at this many cells a side: finer ones are averaged, so that grain does not count as disagreement.
CELLS = 28
TOP_SHARE = 0.2


@dataclass(frozen=True)
class Agreement:
    """How alike two maps are.

    Attributes:
        rank_correlation: Spearman's, −1…1; 0 where a map is the same everywhere.
        overlap: share of the one's brightest fifth that is in the other's, 0…1; 0.2 by chance.
    """

    rank_correlation: float
    overlap: float


def agreement(one: Explanation, other: Explanation, size: int) -> Agreement:
    """How alike two maps of the same photo are.

    Args:
        one: a map.
        other: another, of any resolution.
        size: side of the model's input; both maps are in its frame.
    """
    return compare(at_cells(one, size), at_cells(other, size))


def stability(runs: Sequence[Explanation], size: int) -> Agreement:
    """The mean agreement over all pairs of runs of one method on one photo.

    Raises:
        ValueError: where there are fewer than two runs.
    """
    if len(runs) < 2:
        raise ValueError("Stability needs two runs at least.")
    maps = [at_cells(run, size) for run in runs]
    pairs = [compare(one, other) for one, other in combinations(maps, 2)]
    return Agreement(
        float(np.mean([pair.rank_correlation for pair in pairs])), float(np.mean([pair.overlap for pair in pairs]))
    )


def top_regions_alike(runs: Sequence[Explanation], top: int = 5) -> float:
    """Jaccard index of the `top` strongest superpixels, the mean over all pairs of runs, 0…1.

    Raises:
        ValueError: where there are fewer than two runs, or they are not over the same superpixels.
    """
    if len(runs) < 2 or any(run.regions is None or (run.regions != runs[0].regions).any() for run in runs):
        raise ValueError("Two runs or more over the same superpixels are needed.")
    chosen = [set(np.argsort(-run.parts, kind="stable")[:top].tolist()) for run in runs]
    return float(np.mean([len(one & other) / len(one | other) for one, other in combinations(chosen, 2)]))


def at_cells(explanation: Explanation, size: int) -> npt.NDArray[np.float32]:
    """The map in the model's frame as means over CELLS × CELLS cells (of a smaller input: its pixels)."""
    cells = min(CELLS, size)
    heat = Image.fromarray(in_model_frame(explanation, size))
    return np.asarray(heat.resize((cells, cells), Image.Resampling.BOX))


def compare(one: FloatArray, other: FloatArray) -> Agreement:
    """Agreement of two maps of one shape."""
    ranks = [rankdata(heat) for heat in (one.ravel(), other.ravel())]
    flat = any(np.ptp(rank) == 0 for rank in ranks)
    correlation = 0.0 if flat else float(np.corrcoef(ranks)[0, 1])
    count = round(TOP_SHARE * one.size)
    bright = [brightness_rank(heat) < count for heat in (one, other)]
    return Agreement(correlation, float((bright[0] & bright[1]).sum() / count))
