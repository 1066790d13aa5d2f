"""Which superpixels each look at a photo shows: drawn each on its own, or balanced against each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import hadamard

from flowers_core.explain.lime.superpixels import Masks


def keep_probability(sigma: float) -> float:
    """With what probability GLIME keeps a superpixel where the kernel's width is `sigma`: ½ for a very wide one.

    A mask with m of its superpixels hidden weighs exp(−m/σ²), a product over superpixels: each is drawn on its own.
    """
    return float(1 / (1 + np.exp(-1 / sigma**2)))


def independent_masks(samples: int, regions: int, random: np.random.Generator, keep: float = 0.5) -> Masks:
    """Each superpixel of each sample kept with probability `keep`; the first sample is the whole photo.

    Returns:
        (samples, regions) bool, True = shown.
    """
    masks = random.random((samples, regions)) < keep
    masks[0] = True
    return masks


def block_size(regions: int) -> int:
    """How many pairs of samples balance so many superpixels: the order of the smallest Hadamard matrix by Sylvester's
    construction (1867) with a column for each."""
    return 1 << (regions - 1).bit_length()


def balanced_masks(samples: int, regions: int, random: np.random.Generator, keep: float = 0.5) -> Masks:
    """The same, but in blocks in which every superpixel is shown with any other as often as without it.

    A block is the rows of a Hadamard matrix, one column for each superpixel (Plackett and Burman 1946, Biometrika 33),
    each followed by its mirror image (fold-over; Box and Hunter 1961, Technometrics 3). The first keeps the effects of
    superpixels out of each other, the second keeps out what two of them do together, and neither is left to chance:
    where there are hardly more samples than superpixels that saves half of the samples. Rows and columns are in random
    order and the columns of random sign, so that each sample by itself is distributed as an independent one, and no
    superpixel has a better place in the design than another.

    Args:
        samples: how many; the first is the whole photo, then the second and third are a pair, and so on.
        regions: how many superpixels.
        random: draws the orders, the signs, and, where `keep` is not ½, which few superpixels both of a pair show.
        keep: ½ or more, or both of a pair may hide a superpixel.

    Returns:
        (samples, regions) bool, True = shown.
    """
    matrix = hadamard(block_size(regions))
    pairs = samples // 2
    signs = np.concatenate([_block(matrix, regions, random) for _ in range(-(-pairs // len(matrix)))])[:pairs]
    draws = random.random((pairs, regions)) / 2
    draws = np.where(signs > 0, draws, 1 - draws)
    masks = np.ones((1 + 2 * pairs, regions), bool)
    masks[1::2] = draws < keep
    masks[2::2] = 1 - draws < keep
    return masks[:samples]


def _block(matrix: npt.NDArray[np.integer], regions: int, random: np.random.Generator) -> npt.NDArray[np.integer]:
    rows, columns = random.permutation(len(matrix)), random.permutation(len(matrix))[:regions]
    return matrix[rows][:, columns] * random.choice((-1, 1), regions)
