"""Effects per position: against regression on all products, brute force over all masks, and fits without a sample."""

import numpy as np
import pytest

from flowers_core.explain.lime.gaussian_process import NARROW, WIDE, fit_positions, kernel_weights
from flowers_core.explain.lime.masks import balanced_masks
from flowers_core.explain.lime.superpixels import SegmentedPhoto

RANDOM = np.random.default_rng


def pairs(samples: int, superpixels: int, seed: int = 0, keep: float = 0.5) -> np.ndarray:
    return balanced_masks(1 + samples, superpixels, RANDOM(seed), keep)[1:]


def independent_masks(samples: int, superpixels: int, seed: int) -> np.ndarray:
    masks = RANDOM(seed).random((samples, superpixels)) < 0.5
    masks[0] = True
    return masks


def all_masks(superpixels: int) -> np.ndarray:
    return (np.arange(1 << superpixels)[:, None] >> np.arange(superpixels) & 1).astype(bool)


def every_pair(superpixels: int) -> np.ndarray:
    """All masks, each followed by what it hides."""
    half = all_masks(superpixels)[: 1 << (superpixels - 1)]
    return np.stack([half, ~half], axis=1).reshape(-1, superpixels)


def test_with_every_mask_and_hardly_any_noise_it_is_the_difference_of_means():
    masks = every_pair(6)
    answers = RANDOM(1).normal(size=(len(masks), 3))
    found = fit_positions(masks, answers, np.full((6, 3), 0.5), noise=1e-6)
    total = answers.sum(axis=1)
    expected = [total[masks[:, region]].mean() - total[~masks[:, region]].mean() for region in range(6)]
    np.testing.assert_allclose(found.coefficients, expected, atol=1e-4)
    np.testing.assert_allclose(found.residuals, 0, atol=1e-4)
    assert np.diag(found.covariance).max() < 1e-4


def test_it_is_bayesian_regression_on_all_products_of_superpixels():
    """A position alone, with the kernel's Gaussian prior on the weight of each product written out."""
    prior = np.array([[0.9], [0.5], [0.2], [0.05]])
    masks = independent_masks(12, 4, 2)
    answers = RANDOM(2).normal(size=(12, 1))
    signs, centred = 2.0 * masks - 1, answers[:, 0] - answers.mean()
    subsets = all_masks(4)
    products = np.column_stack([signs[:, subset].prod(axis=1) for subset in subsets])
    variances = np.array([prior[subset, 0].prod() for subset in subsets])
    noise = 0.1 * np.prod(1 + prior)
    posterior = np.linalg.inv(products.T @ products / noise + np.diag(1 / variances))
    weights = posterior @ products.T @ centred / noise
    alone = [int(np.flatnonzero((subsets == (np.arange(4) == region)).all(axis=1))[0]) for region in range(4)]
    # How large answers are is not the prior's to say: the maximum of the likelihood is Rᵀ K⁻¹ R / samples.
    kernel = products @ np.diag(variances) @ products.T + noise * np.eye(12)
    scale = centred @ np.linalg.solve(kernel, centred) / 12
    found = fit_positions(masks, answers, prior, 0.1)
    np.testing.assert_allclose(found.coefficients, 2 * weights[alone], atol=1e-9)
    np.testing.assert_allclose(found.covariance, 4 * scale * posterior[np.ix_(alone, alone)], atol=1e-9)
    np.testing.assert_allclose(found.residuals, centred - products @ weights, atol=1e-9)
    # Without a sample: its answer by the regression on the others.
    for sample in (0, 5, 11):
        others = np.arange(12) != sample
        inverse = np.linalg.inv(products[others].T @ products[others] / noise + np.diag(1 / variances))
        expected = centred[sample] - products[sample] @ inverse @ products[others].T @ centred[others] / noise
        assert found.left_out[sample] == pytest.approx(expected)


def test_positions_that_err_together_err_more():
    """Twice the same position: twice the error, and of two with nothing in common √2 times it, or nearly."""
    masks, prior = pairs(400, 5, seed=3), RANDOM(3).uniform(0.05, 0.6, size=(5, 1))
    answers = RANDOM(4).normal(size=(400, 2))
    once = fit_positions(masks, answers[:, :1], prior).covariance
    twice = fit_positions(masks, answers[:, [0, 0]], prior.repeat(2, axis=1)).covariance
    np.testing.assert_allclose(twice, 4 * once, rtol=1e-9)
    apart = fit_positions(masks, answers, prior.repeat(2, axis=1)).covariance
    np.testing.assert_allclose(np.diag(apart), 2 * np.diag(once), rtol=0.3)


def neighbours_work_together(masks: np.ndarray) -> np.ndarray:
    """Twelve positions, each answering to the product of the three superpixels around it and to each of them."""
    answers = []
    for position in range(12):
        around = [(position - 1) % 12, position, (position + 1) % 12]
        signs = 2.0 * masks[:, around] - 1
        answers.append(signs @ [0.3, 0.2 + 0.1 * position, 0.3] + 2 * signs.prod(axis=1))
    return np.column_stack(answers)


def test_fewer_masks_say_as_much_where_superpixels_work_together_locally():
    """Three that count only together are noise to regression; at the position where they do so they are not."""
    prior = np.full((12, 12), 0.05)
    for shift in (-1, 0, 1):
        prior[(np.arange(12) + shift) % 12, np.arange(12)] = 0.8
    # A position's own superpixel counts 0.2 + position / 10 either way, each of its neighbours 0.3.
    expected = 2 * (0.2 + 0.1 * np.arange(12) + 0.6)
    wrong, wrong_by_regression = [], []
    for seed in range(20):
        masks = pairs(64, 12, seed)
        answers = neighbours_work_together(masks)
        wrong.append(fit_positions(masks, answers, prior, noise=0.1).coefficients - expected)
        signs = 2.0 * masks - 1
        wrong_by_regression.append(2 * signs.T @ answers.sum(axis=1) / 64 - expected)
    assert np.std(wrong) < 0.5 * np.std(wrong_by_regression)
    assert abs(np.mean(wrong)) < 0.1


def test_intervals_hold_what_they_promise():
    """95 of 100 hold the truth."""
    prior = np.full((12, 12), 0.05)
    for shift in (-1, 0, 1):
        prior[(np.arange(12) + shift) % 12, np.arange(12)] = 0.6
    expected = 2 * (0.2 + 0.1 * np.arange(12) + 0.6)
    held = []
    for seed in range(60):
        masks = independent_masks(49, 12, seed)[1:]
        masks[1::2] = ~masks[::2]
        answers = neighbours_work_together(masks)
        found = fit_positions(masks, answers + RANDOM(seed).normal(0, 0.1, answers.shape), prior)
        margin = 1.96 * np.sqrt(np.diag(found.covariance))
        held.append(np.abs(found.coefficients - expected) <= margin)
    print("held:", np.mean(held))
    assert 0.9 <= np.mean(held) <= 1


def test_kernel_weights_are_fractions_of_change_in_two_windows():
    """The left half is 0 and 180 in turn, the right 60 and 120: around their mean of 90, changes of 90 and of 30."""
    halves = np.zeros((16, 16), np.int32)
    halves[:, 8:] = 1
    sign = 1 - 2 * (np.indices((16, 16)).sum(axis=0) % 2)
    pixels = np.repeat((90 + sign * np.where(halves, 30, 90))[..., None], 3, axis=2).astype(np.uint8)
    found = kernel_weights(SegmentedPhoto(pixels, halves), (1, 2))
    middle = np.arange(16) + 0.5

    def fraction(position: float, deviation: float) -> float:
        window = np.exp(-((middle - position) ** 2) / (2 * (8 * deviation) ** 2))
        left, right = 3 * window[:8].sum(), window[8:].sum()
        return left / (left + right)

    expected = [0.6 * fraction(position, NARROW) + 0.3 * fraction(position, WIDE) for position in (4.0, 12.0)]
    np.testing.assert_allclose(found[0], expected, atol=2e-3)
    np.testing.assert_allclose(found.sum(axis=0), 0.9)


def test_kernel_weights_go_by_area_if_nothing_changes():
    pixels = np.full((8, 8, 3), 50, np.uint8)
    halves = np.arange(64).reshape(8, 8).astype(np.int32) // 32
    np.testing.assert_allclose(kernel_weights(SegmentedPhoto(pixels, halves), (1, 1)), 0.45)


def test_what_cannot_be_is_refused():
    masks, prior = pairs(6, 3), np.full((3, 2), 0.4)
    with pytest.raises(ValueError, match="do not fit"):
        fit_positions(masks, np.zeros((6, 3)), prior)
    with pytest.raises(ValueError, match="do not fit"):
        fit_positions(masks, np.zeros((6, 2)), prior[:2])
