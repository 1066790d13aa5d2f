"""What samples show: balanced against each other, and each by itself as if drawn alone."""

import numpy as np
import pytest

from flowers_core.explain.lime.masks import balanced_masks, keep_probability


def test_what_is_drawn_from_the_weighted_distribution_is_what_the_kernel_weighs():
    """All 2¹⁰ masks weighed by exp(−hidden/σ²): the share of the weight in which each superpixel is kept."""
    masks = (np.arange(1024)[:, None] >> np.arange(10)) & 1
    weights = np.exp(-(10 - masks.sum(axis=1)) / 0.9**2)
    np.testing.assert_allclose(weights @ masks / weights.sum(), keep_probability(0.9))
    together = weights @ (masks[:, 0] * masks[:, 1]) / weights.sum()
    assert together == pytest.approx(keep_probability(0.9) ** 2)  # on its own, each
    assert keep_probability(100) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("superpixels", [1, 2, 7, 12, 16])
def test_a_block_shows_any_two_together_as_often_as_apart(superpixels):
    order = next(order for order in (1, 2, 4, 8, 16) if order >= superpixels)
    masks = balanced_masks(1 + 2 * 2 * order, superpixels, np.random.default_rng(3))
    assert masks.shape == (1 + 4 * order, superpixels)
    assert masks[0].all()
    for block in (masks[1 : 1 + 2 * order], masks[1 + 2 * order :]):
        signs = 2.0 * block - 1
        np.testing.assert_array_equal(signs.T @ signs, 2 * order * np.eye(superpixels))
        assert (block.sum(axis=0) == order).all()
        # The effect of one superpixel is that of two others together in no block: mirror images cancel it.
        together = np.einsum("sa,sb,sc->abc", signs, signs, signs)
        np.testing.assert_array_equal(together, 0)
    assert (masks[1::2] ^ masks[2::2]).all()


def test_each_sample_is_distributed_as_if_alone():
    """The first of a pair, over many draws of the design: every mask of 3 superpixels as often as its probability."""
    keep = 0.7
    firsts = np.array([balanced_masks(3, 3, np.random.default_rng(seed), keep)[1:] for seed in range(2000)])
    assert firsts.any(axis=1).all()  # no superpixel is hidden by both of a pair
    for which in (0, 1):
        shares = np.bincount(firsts[:, which] @ [1, 2, 4], minlength=8) / 2000
        expected = [keep ** mask.bit_count() * (1 - keep) ** (3 - mask.bit_count()) for mask in range(8)]
        np.testing.assert_allclose(shares, expected, atol=0.04)


def test_any_number_of_samples():
    for samples in (2, 3, 4, 50, 51):
        assert balanced_masks(samples, 20, np.random.default_rng(0), 0.51).shape == (samples, 20)
    one, two = (balanced_masks(200, 20, np.random.default_rng(seed), 0.51) for seed in (1, 2))
    assert (one != two).mean() > 0.3
