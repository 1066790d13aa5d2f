"""The Gaussian process that LIME fits at each position of the feature map.

The output at one position depends on the superpixels near it. In a fit of the whole answer all others only add noise.
Therefore each position gets its own model, and a superpixel's effect is the sum over the positions: fewer samples are
enough.

The model is a Gaussian process over masks (Rasmussen and Williams 2006, *Gaussian Processes for Machine Learning*,
chapter 2), with x = ±1 for each superpixel shown or hidden, and the kernel

    k(x, x′) = ∏ᵢ (1 + rᵢ xᵢ x′ᵢ)

It gives each product of superpixels a normally distributed weight, whose variance is the product of their rᵢ. If rᵢ is
near 1 for superpixels near the position and near 0 for distant ones, effects are expected where they are possible, both
of one superpixel alone and of several together. The effect of one alone is linear in the answers and known in closed
form. It is the coefficient to which linear regression on ever more masks converges, and the Banzhaf value of the game
whose players are the superpixels (Hammer and Holzman 1992, "Approximations of pseudo-Boolean functions; applications to
game theory", ZOR 36, 3–21).

The posterior covariance says what remains unknown. Unlike the spread from run to run, it includes effects that few
samples cannot tell apart. Positions are not independent, because their receptive fields overlap. The correlation of
their errors is estimated from the answers after whitening with the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowers_core.explain.lime.superpixels import Masks, SegmentedPhoto

#: Standard deviations of the two Gaussian windows around a position, in cells of the feature map, and the windows'
#: weights: near the maximum of the marginal likelihood over 20 validation photos.
NARROW, NARROW_WEIGHT = 0.8, 0.6
WIDE, WIDE_WEIGHT = 2.5, 0.3
#: Variance of what the kernel does not model, as a fraction of k(x, x): products of many superpixels, INT8's rounding.
#: The marginal likelihood favours 0.1. A larger value makes the ranking of the strongest superpixels more stable: over
#: 24 validation photos at 65 samples, 0.1 had a deletion area of 0.430 and 0.5 of 0.418, and the top five of two runs
#: overlapped by 0.84 and 0.90. The price is the coverage of the intervals: nominal 95 % intervals held the effects of
#: 520 samples in 96 % (at 0.1), 90 % (at 0.5) and 85 % (at 1) of the cases.
NOISE = 0.5
#: Added to every pixel's change, as a fraction of the mean change, so that a superpixel of one colour has one too.
_LEAST_CHANGE = 1e-3

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PositionEffects:
    """The superpixels' effects, summed over the positions.

    Attributes:
        coefficients: (superpixels,), the answer with a superpixel shown minus the answer with it hidden, averaged over
            the others, each shown or hidden with probability ½.
        covariance: (superpixels, superpixels), the posterior covariance of the coefficients.
        residuals: (samples,), the answers minus the model's.
        left_out: (samples,), the same with each sample predicted from all others.
    """

    coefficients: FloatArray
    covariance: FloatArray
    residuals: FloatArray
    left_out: FloatArray


def kernel_weights(photo: SegmentedPhoto, grid: tuple[int, int]) -> FloatArray:
    """How much each superpixel is expected to matter at each position: the rᵢ of the kernel.

    It is the superpixel's fraction of all change in a Gaussian window around the position, summed over a narrow and a
    wide window with their weights. A pixel's change is its difference from the baseline: hiding pixels that hardly
    change can hardly have an effect.

    Args:
        photo: with its superpixels and baseline.
        grid: rows and columns of the feature map.

    Returns:
        (superpixels, rows · columns) in 0…NARROW_WEIGHT + WIDE_WEIGHT, row by row.
    """
    height, width = photo.superpixels.shape
    change = np.abs(photo.pixels.astype(np.float64) - photo.baseline).mean(axis=2)
    change += _LEAST_CHANGE * change.mean() + np.finfo(float).tiny
    count = photo.count
    weights = np.zeros((count, grid[0] * grid[1]))
    for deviation, weight in ((NARROW, NARROW_WEIGHT), (WIDE, WIDE_WEIGHT)):
        rows, columns = (_windows(size, cells, deviation) for size, cells in zip((height, width), grid, strict=True))
        # A window is a product of one along each side: sum over columns first, superpixel by superpixel.
        along = np.zeros((count * height, grid[1]))
        strips = photo.superpixels + count * np.arange(height)[:, None]
        for column, window in enumerate(columns):
            along[:, column] = np.bincount(strips.ravel(), (change * window).ravel(), count * height)
        seen = np.einsum("gh,hnc->ngc", rows, along.reshape(height, count, grid[1])).reshape(count, -1)
        weights += weight * seen / seen.sum(axis=0)
    return weights


def fit_positions(masks: Masks, answers: FloatArray, weights: FloatArray, noise: float = NOISE) -> PositionEffects:
    """Fit a Gaussian process at each position and sum the superpixels' effects.

    Args:
        masks: (samples, superpixels), True = shown.
        answers: (samples, positions), whose sum over the positions is the answer.
        weights: (superpixels, positions), see `kernel_weights`; strictly between 0 and 1.
        noise: fraction of k(x, x) that is noise, > 0.

    Returns:
        PositionEffects of the sum over the positions.

    Raises:
        ValueError: if the shapes differ.
    """
    if answers.shape != (len(masks), weights.shape[1]) or weights.shape[0] != masks.shape[1]:
        raise ValueError(f"{answers.shape} answers and {weights.shape} weights do not fit masks of {masks.shape}.")
    signs: FloatArray = 2.0 * masks.astype(np.float64) - 1
    noise_variance = noise * np.prod(1 + weights, axis=0)
    kernel = _kernel(signs, weights)
    samples = np.arange(len(signs))
    kernel[:, samples, samples] += noise_variance[:, None]
    inverse = np.linalg.inv(kernel)
    dual = np.einsum("pab,pb->pa", inverse, (answers - answers.mean(axis=0)).T)
    # Covariance of each answer with the effect of each superpixel alone: (positions, samples, superpixels).
    alone = 2 * weights.T[:, None, :] * signs
    explained = inverse @ alone
    posterior = -np.einsum("pai,paj->pij", alone, explained)
    diagonal = np.arange(len(weights))
    posterior[:, diagonal, diagonal] += 4 * weights.T
    return PositionEffects(
        coefficients=np.einsum("pa,pai->i", dual, alone),
        covariance=_covariance_of_sum(posterior, kernel, dual),
        residuals=noise_variance @ dual,
        left_out=(dual / inverse[:, samples, samples]).sum(axis=0),
    )


def _kernel(signs: FloatArray, weights: FloatArray) -> FloatArray:
    """(positions, samples, samples): the product as a sum of logarithms: log(1 ± r) = log(1 − r²)/2 ± artanh r."""
    constants = 0.5 * np.log1p(-(weights**2)).sum(axis=0)
    slopes = np.arctanh(weights).T
    return np.exp(constants[:, None, None] + (signs * slopes[:, None, :]) @ signs.T)


def _covariance_of_sum(posterior: FloatArray, kernel: FloatArray, dual: FloatArray) -> FloatArray:
    """The covariance of the sum over positions, (n, n), from that at each position, (positions, n, n).

    The errors of positions are correlated. The covariance of the whitened answers, (positions, positions), estimates
    how much, and the scale of the errors.
    """
    # With the kernel's Cholesky factor L, L⁻¹ · answers = Lᵀ · dual.
    white = np.einsum("pba,pb->pa", np.linalg.cholesky(kernel), dual)
    scales = white @ white.T / white.shape[1]
    values, vectors = np.linalg.eigh(posterior)
    roots = (vectors * np.sqrt(np.maximum(values, 0))[:, None, :]) @ vectors.transpose(0, 2, 1)
    positions, count = posterior.shape[:2]
    mixed = (scales @ roots.reshape(positions, -1)).reshape(positions, count, count)
    return np.einsum("pik,pjk->ij", roots, mixed)


def _windows(size: int, cells: int, deviation: float) -> FloatArray:
    """Gaussian windows around the middles of `cells` equal parts of a side of `size` pixels, (cells, size).

    `deviation` is in cells.
    """
    part = size / cells
    middles = (np.arange(cells) + 0.5) * part
    return np.exp(-(((np.arange(size) + 0.5)[None] - middles[:, None]) ** 2) / (2 * (deviation * part) ** 2))
