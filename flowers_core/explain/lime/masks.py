"""Which superpixels each sample shows: random masks, balanced against each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.explain.lime.superpixels import Masks


def keep_probability(sigma: float) -> float:
    """The probability with which GLIME shows a superpixel, for a kernel of width `sigma`; ½ for a very wide one.

    The weight of a mask with m superpixels hidden is exp(−m/σ²). That is a product over superpixels, so each superpixel
    is drawn on its own.
    """
    return float(1 / (1 + np.exp(-1 / sigma**2)))


def block_size(superpixels: int) -> int:
    """How many pairs of samples make a balanced block of this many superpixels.

    It is the order of the smallest Hadamard matrix of Sylvester's construction (1867) with a column for each.
    """
    return 1 << (superpixels - 1).bit_length()


def balanced_masks(samples: int, superpixels: int, random: np.random.Generator, keep: float = 0.5) -> Masks:
    """Masks in blocks. In a block each superpixel is shown with any other as often as without it.

    A block is the rows of a Hadamard matrix with one column for each superpixel (Plackett and Burman 1946, Biometrika
    33). Each row is followed by its mirror image (fold-over; Box and Hunter 1961, Technometrics 3). The rows separate
    the effects of superpixels from each other, and the mirror images separate them from interactions of two. With
    hardly more samples than superpixels this saves half of the samples. Rows, columns and signs of columns are random,
    so that each sample by itself is distributed like an independent one and no superpixel has a better position in the
    design.

    Args:
        samples: how many; the first is the whole photo, then come pairs.
        superpixels: how many.
        random: draws the orders, the signs, and (if `keep` is not ½) the few superpixels that both of a pair show.
        keep: probability with which a superpixel is shown, ≥ ½: below ½ both of a pair might hide a superpixel.

    Returns:
        (samples, superpixels) bool, True = shown.
    """
    # Not at import: it takes as long as a forward pass, and a page that opens does not need it.
    from scipy.linalg import hadamard

    matrix = hadamard(block_size(superpixels))
    pairs = samples // 2
    signs = np.concatenate([_block(matrix, superpixels, random) for _ in range(-(-pairs // len(matrix)))])[:pairs]
    draws = random.random((pairs, superpixels)) / 2
    draws = np.where(signs > 0, draws, 1 - draws)
    masks = np.ones((1 + 2 * pairs, superpixels), bool)
    masks[1::2] = draws < keep
    masks[2::2] = 1 - draws < keep
    return masks[:samples]


def _block(matrix: npt.NDArray[np.integer], superpixels: int, random: np.random.Generator) -> npt.NDArray[np.integer]:
    rows, columns = random.permutation(len(matrix)), random.permutation(len(matrix))[:superpixels]
    return matrix[rows][:, columns] * random.choice((-1, 1), superpixels)
