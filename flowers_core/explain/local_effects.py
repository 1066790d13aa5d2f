"""What each superpixel is worth, place by place: fewer looks at a photo say as much.

An answer that is the mean over places of what the feature map says there (global average pooling and a linear layer)
can be watched at each place apart. What happens at a place hangs on the superpixels near it, and the rest, which moves
the answer as a whole at every look, is noise there no more. So each place gets a model of its own, and the worth of a
superpixel is the sum of what it is worth at all of them.

The model is a Gaussian process over masks (Rasmussen and Williams 2006, *Gaussian Processes for Machine Learning*,
chapter 2), with x = ±1 for each superpixel shown or hidden and the kernel

    k(x, x′) = ∏ᵢ (1 + rᵢ xᵢ x′ᵢ)

It gives every product of superpixels a weight drawn from a normal distribution whose variance is the product of their
rᵢ, so that with r near 1 for what is near and near 0 for what is far, effects are expected where they can be, alone and
together. The worth of one superpixel, alone, is linear in what was seen and known in closed form. It is the coefficient
that linear regression on ever more masks would end at, and also the Banzhaf value of the game whose players are the
superpixels (Hammer and Holzman 1992, "Approximations of pseudo-Boolean functions; applications to game theory", ZOR 36,
3–21).

What reaches every place from everywhere is too little at each to be seen there, and comes back as one number for all
superpixels, from what their effects leave over of the answer.

Masks come in pairs, of which one hides what the other shows: half the difference of their answers holds nothing but
products of an odd number of superpixels, to which the kernel (∏(1 + rᵢ xᵢ x′ᵢ) − ∏(1 − rᵢ xᵢ x′ᵢ)) / 2 belongs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowers_core.explain.superpixels import Masks, Pixels, Regions

#: Half the width of the Gaussian windows around a place, in cells of the feature map, and what they are worth. These
#: and NOISE are near the maximum of the marginal likelihood over 20 validation photos, on the side of more noise, where
#: runs agree better.
NEAR, NEAR_WORTH = 0.8, 0.6
FAR, FAR_WORTH = 2.5, 0.3
#: Variance of what the kernel does not tell, as a share of k(x, x): products of many superpixels, INT8's rounding.
NOISE = 0.1
#: Every superpixel changes something, be its pixels all of one colour: this share of the mean change.
_LEAST_CHANGE = 1e-3

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LocalEffects:
    """What the superpixels are worth.

    Attributes:
        effects: (regions,) by how much the answer is higher with a superpixel shown than hidden, in the mean over the
            others being shown or hidden with even odds.
        pulls: (pairs, regions) how much of the effects hangs on each pair of masks: the effects without it are
            effects − pulls, but for terms of second order.
    """

    effects: FloatArray
    pulls: FloatArray


def nearness(regions: Regions, pixels: Pixels, background: Pixels, grid: tuple[int, int]) -> FloatArray:
    """How much each superpixel is expected to count at each place: the rᵢ of the kernel.

    It is the superpixel's share of all change in a narrow Gaussian window around the place, and in a wide one. Change
    is by how much its pixels differ from what hides them: what is hardly changed by hiding can hardly have an effect.

    Args:
        regions: (h, w) 0…n−1.
        pixels: (h, w, 3) uint8, the photo.
        background: (h, w, 3) uint8, the photo with every superpixel hidden.
        grid: rows and columns of the feature map.

    Returns:
        (n, rows · columns) in 0…NEAR_WORTH + FAR_WORTH, row by row.
    """
    height, width = regions.shape
    change = np.abs(pixels.astype(np.float64) - background).mean(axis=2)
    change += _LEAST_CHANGE * change.mean() + np.finfo(float).tiny
    count = int(regions.max()) + 1
    worth = np.zeros((count, grid[0] * grid[1]))
    for deviation, share in ((NEAR, NEAR_WORTH), (FAR, FAR_WORTH)):
        rows, columns = (_windows(size, cells, deviation) for size, cells in zip((height, width), grid, strict=True))
        # Summed over columns first, superpixel by superpixel: windows are products of one along each side.
        along = np.zeros((count * height, grid[1]))
        strips = regions + count * np.arange(height)[:, None]
        for column, window in enumerate(columns):
            along[:, column] = np.bincount(strips.ravel(), (change * window).ravel(), count * height)
        seen = np.einsum("gh,hnc->ngc", rows, along.reshape(height, count, grid[1])).reshape(count, -1)
        worth += share * seen / seen.sum(axis=0)
    return worth


def local_effects(masks: Masks, answers: FloatArray, near: FloatArray, noise: float = NOISE) -> LocalEffects:
    """The superpixels' effects from what every place answered to pairs of masks.

    Args:
        masks: (2 · pairs, regions) bool, True = shown: rows 0 and 1 are a pair, and so on. Where both show a superpixel
            the pair says nothing of it.
        answers: (2 · pairs, places), what the answer is the sum of.
        near: (regions, places), see `nearness`; below 1.
        noise: share of k(x, x) that is noise, > 0.

    Returns:
        LocalEffects of the sum over the places.

    Raises:
        ValueError: where masks do not come in pairs, or the shapes differ.
    """
    if len(masks) % 2 or not len(masks):
        raise ValueError("Masks must come in pairs.")
    if answers.shape != (len(masks), near.shape[1]) or near.shape[0] != masks.shape[1]:
        raise ValueError(f"{answers.shape} answers and {near.shape} worths do not fit masks of {masks.shape}.")
    signs = (masks[::2].astype(np.float32) - masks[1::2]).astype(np.float32)
    odd = ((answers[::2] - answers[1::2]) / 2).astype(np.float32)
    kernel = _odd_kernel(signs, near.astype(np.float32))
    pairs = len(signs)
    kernel[:, np.arange(pairs), np.arange(pairs)] += (noise * np.prod(1 + near, axis=0))[:, None]
    inverse = np.linalg.inv(kernel)
    weights = np.einsum("pab,bp->pa", inverse, odd)
    effects = 2 * near * (signs.T.astype(np.float64) @ weights.T)
    # Without pair a the weights change by −column a of the inverse · weight a / inverse[a, a], as of every such fit.
    missed = weights / inverse[:, np.arange(pairs), np.arange(pairs)]
    reached = np.einsum("ai,pab->pib", signs, inverse) * (2 * near.T)[:, :, None]
    pulls = np.einsum("pib,pb->bi", reached, missed).astype(np.float64)
    effects = effects.sum(axis=1)
    # One number for all superpixels, by regression of what is left of the answer on how many more a mask shows.
    shown = signs.sum(axis=1).astype(np.float64)
    squares = max(1.0, float(shown @ shown))
    left = odd.sum(axis=1) - signs @ effects / 2
    parts = 2 * left * shown / squares
    already = pulls @ (signs.T @ shown / squares)
    return LocalEffects(effects + parts.sum(), pulls + (parts - already)[:, None])


def _odd_kernel(signs: npt.NDArray[np.float32], near: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(places, pairs, pairs): products of an odd number of superpixels."""
    pairs = len(signs)
    alike = np.ones((near.shape[1], pairs, pairs), np.float32)
    unlike = np.ones_like(alike)
    factor = np.empty_like(alike)
    for sign, worth in zip(signs.T, near, strict=True):
        np.multiply(worth[:, None, None], np.multiply.outer(sign, sign), out=factor)
        factor += 1
        alike *= factor
        np.subtract(2, factor, out=factor)
        unlike *= factor
    alike -= unlike
    alike /= 2
    return alike


def _windows(size: int, cells: int, deviation: float) -> FloatArray:
    """Gaussian windows around the middles of `cells` equal parts of a side of `size` pixels, (cells, size)."""
    part = size / cells
    middles = (np.arange(cells) + 0.5) * part
    return np.exp(-(((np.arange(size) + 0.5)[None] - middles[:, None]) ** 2) / (2 * (deviation * part) ** 2))
