"""Faithfulness without a tell-tale hole: what is removed is filled in from what stays (ROAD).

Rong, Leemann, Borisov, Kasneci and Kasneci 2022, "A Consistent and Efficient Evaluation Strategy for Attribution
Methods", arXiv 2202.00449. A flat patch is like no photo, and its outline alone tells a model what was cut out. So the
curves of `faithfulness` also measure how odd the changed photo looks. Here each removed pixel becomes the weighted mean
of its eight neighbours, removed ones too, plus weak noise ("noisy linear imputation"). Then neither the hole nor its
outline is seen.

Pixels are removed in both orders: those of highest attribution first, and those of lowest first. A faithful map keeps
the answer in the second order and loses it in the first. The authors count how many photos of a data set are still
named rightly. Here it is the probability of the explained class on one photo, so that the figure has an interval over
photos; and it is the difference of the two orders.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from flowers_core.explain.explanation import FloatArray, Target
from flowers_core.explain.metrics.faithfulness import brightness_rank
from flowers_core.explain.perturbation import probability
from flowers_core.explain.subject import Logits, Pixels

#: Fractions of the photo's pixels that are removed. The equations of more pixels take seconds.
FRACTIONS = (0.1, 0.3, 0.5)
#: Standard deviation of the noise on what is filled in, in grey levels: the authors' 0.01 of the range.
NOISE = 0.01 * 255
#: Weights of the neighbours to the sides and across the corners. All eight together weigh 1.
_SIDE, _CORNER = 1 / 6, 1 / 12


def road_gap(
    model: Logits, pixels: Pixels, heat: FloatArray, target: Target, temperature: float = 1.0, *, seed: int = 0
) -> float:
    """How much more of the answer stays without a map's lowest pixels than without its highest.

    Args:
        model: photos to logits.
        pixels: (s, s, 3) uint8.
        heat: (s, s), the map.
        target: a class, or a class against another.
        temperature: of the softmax.
        seed: of the noise.

    Returns:
        The target's probability with the lowest pixels removed, less that with the highest removed, averaged over
        FRACTIONS, −1…1. Random maps have 0 on average.
    """
    random = np.random.default_rng(seed)
    rank = brightness_rank(heat)
    counts = [round(fraction * rank.size) for fraction in FRACTIONS]
    highest = [removed(pixels, rank < count, random) for count in counts]
    lowest = [removed(pixels, rank >= rank.size - count, random) for count in counts]
    found = probability(model(np.stack(highest + lowest)), target, temperature)
    return float(found[len(counts) :].mean() - found[: len(counts)].mean())


def removed(pixels: Pixels, gone: npt.NDArray[np.bool_], random: np.random.Generator) -> Pixels:
    """A photo with pixels filled in, with the noise that hides that they are.

    Args:
        pixels: (h, w, 3) uint8.
        gone: (h, w), True where a pixel is removed.
        random: draws the noise.

    Returns:
        (h, w, 3) uint8.
    """
    filled = imputed(pixels, gone)
    filled[gone] += random.normal(scale=NOISE, size=filled[gone].shape)
    return np.clip(np.rint(filled), 0, 255).astype(np.uint8)


def imputed(pixels: npt.NDArray[np.generic], gone: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Each removed pixel as the weighted mean of its neighbours, all of them solved together.

    A neighbour to the side weighs 1/6 and one across a corner 1/12. At the photo's edge the neighbours that are there
    share the weight.

    Args:
        pixels: (h, w, c).
        gone: (h, w), True where a pixel is removed.

    Returns:
        (h, w, c) float64; pixels that stay are as they were.

    Raises:
        ValueError: if nothing stays.
    """
    if gone.all():
        raise ValueError("Nothing of the photo stays from which the rest could be filled in.")
    filled = pixels.astype(np.float64)
    if gone.any():
        matrix, known = _equations(filled, gone)
        # The matrix is symmetric and its diagonal dominates: no pivoting is needed, which halves the time.
        solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0, options={"SymmetricMode": True})
        filled[gone] = solver.solve(known)
    return filled


def _equations(
    pixels: npt.NDArray[np.float64], gone: npt.NDArray[np.bool_]
) -> tuple[csc_matrix, npt.NDArray[np.float64]]:
    """The removed pixels' equations: a matrix (n, n), and what the pixels that stay add to each, (n, c)."""
    height, width = gone.shape
    count = int(gone.sum())
    stays, outside = -1, -2
    number = np.full((height + 2, width + 2), outside)
    number[1:-1, 1:-1] = stays
    number[1:-1, 1:-1][gone] = np.arange(count)
    around = np.pad(pixels, ((1, 1), (1, 1), (0, 0)))
    known = np.zeros((count, pixels.shape[2]))
    diagonal = np.zeros(count)
    rows, columns, values = [], [], []
    for down, right in ((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)):
        weight = _SIDE if 0 in (down, right) else _CORNER
        window = np.s_[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        neighbour = number[window][gone]
        diagonal += weight * (neighbour != outside)
        known += weight * np.where((neighbour == stays)[:, None], around[window][gone], 0)
        (row,) = np.nonzero(neighbour >= 0)
        rows.append(row)
        columns.append(neighbour[row])
        values.append(np.full(len(row), -weight))
    own = np.arange(count)
    where = np.concatenate([*rows, own]), np.concatenate([*columns, own])
    return csc_matrix((np.concatenate([*values, diagonal]), where), shape=(count, count)), known
