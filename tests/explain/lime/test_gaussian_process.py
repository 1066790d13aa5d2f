"""Effects place by place: against regression on all products, brute force over all masks, fits without a look."""

import numpy as np
import pytest

from flowers_core.explain.lime.gaussian_process import FAR, NEAR, local_effects, nearness
from flowers_core.explain.lime.masks import balanced_masks, independent_masks

RANDOM = np.random.default_rng


def pairs(samples: int, regions: int, seed: int = 0, keep: float = 0.5) -> np.ndarray:
    return balanced_masks(1 + samples, regions, RANDOM(seed), keep)[1:]


def all_masks(regions: int) -> np.ndarray:
    return (np.arange(1 << regions)[:, None] >> np.arange(regions) & 1).astype(bool)


def every_pair(regions: int) -> np.ndarray:
    """All masks, each followed by what it hides."""
    half = all_masks(regions)[: 1 << (regions - 1)]
    return np.stack([half, ~half], axis=1).reshape(-1, regions)


def test_with_every_mask_and_hardly_any_noise_it_is_the_difference_of_means():
    masks = every_pair(6)
    answers = RANDOM(1).normal(size=(len(masks), 3))
    found = local_effects(masks, answers, np.full((6, 3), 0.5), noise=1e-6)
    total = answers.sum(axis=1)
    expected = [total[masks[:, region]].mean() - total[~masks[:, region]].mean() for region in range(6)]
    np.testing.assert_allclose(found.effects, expected, atol=1e-4)
    np.testing.assert_allclose(found.residuals, 0, atol=1e-4)
    assert np.diag(found.covariance).max() < 1e-4


def test_it_is_bayesian_regression_on_all_products_of_superpixels():
    """A place alone, with the kernel's Gaussian prior on the weight of each product written out."""
    near = np.array([[0.9], [0.5], [0.2], [0.05]])
    masks = independent_masks(12, 4, RANDOM(2))
    answers = RANDOM(2).normal(size=(12, 1))
    signs, centred = 2.0 * masks - 1, answers[:, 0] - answers.mean()
    subsets = all_masks(4)
    products = np.column_stack([signs[:, subset].prod(axis=1) for subset in subsets])
    variances = np.array([near[subset, 0].prod() for subset in subsets])
    noise = 0.1 * np.prod(1 + near)
    posterior = np.linalg.inv(products.T @ products / noise + np.diag(1 / variances))
    weights = posterior @ products.T @ centred / noise
    alone = [int(np.flatnonzero((subsets == (np.arange(4) == region)).all(axis=1))[0]) for region in range(4)]
    # How large answers are is not the prior's to say: the maximum of the likelihood is Rᵀ K⁻¹ R / looks.
    kernel = products @ np.diag(variances) @ products.T + noise * np.eye(12)
    scale = centred @ np.linalg.solve(kernel, centred) / 12
    found = local_effects(masks, answers, near, 0.1)
    np.testing.assert_allclose(found.effects, 2 * weights[alone], atol=1e-9)
    np.testing.assert_allclose(found.covariance, 4 * scale * posterior[np.ix_(alone, alone)], atol=1e-9)
    np.testing.assert_allclose(found.residuals, centred - products @ weights, atol=1e-9)
    # Without a look: its answer by the regression on the others.
    for look in (0, 5, 11):
        others = np.arange(12) != look
        inverse = np.linalg.inv(products[others].T @ products[others] / noise + np.diag(1 / variances))
        expected = centred[look] - products[look] @ inverse @ products[others].T @ centred[others] / noise
        assert found.left_out[look] == pytest.approx(expected)


def test_places_that_err_together_err_more():
    """Twice the same place: twice the error, and of two with nothing in common √2 times it, or nearly."""
    masks, near = pairs(400, 5, seed=3), RANDOM(3).uniform(0.05, 0.6, size=(5, 1))
    answers = RANDOM(4).normal(size=(400, 2))
    once = local_effects(masks, answers[:, :1], near).covariance
    twice = local_effects(masks, answers[:, [0, 0]], near.repeat(2, axis=1)).covariance
    np.testing.assert_allclose(twice, 4 * once, rtol=1e-9)
    apart = local_effects(masks, answers, near.repeat(2, axis=1)).covariance
    np.testing.assert_allclose(np.diag(apart), 2 * np.diag(once), rtol=0.3)


def neighbours_work_together(masks: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Twelve places, each answering to the product of the three superpixels around it and to each of them."""
    places = []
    for place in range(12):
        around = [(place - 1) % 12, place, (place + 1) % 12]
        signs = 2.0 * masks[:, around] - 1
        places.append(signs @ [0.3, 0.2 + 0.1 * place, 0.3] + 2 * signs.prod(axis=1))
    return np.column_stack(places)


def test_fewer_masks_say_as_much_where_superpixels_work_together_locally():
    """Three that count only together are noise to regression; to the place where they do it is no secret."""
    near = np.full((12, 12), 0.05)
    for shift in (-1, 0, 1):
        near[(np.arange(12) + shift) % 12, np.arange(12)] = 0.8
    # A place's own superpixel is worth 0.2 + place / 10 either way, each of its neighbours' 0.3.
    expected = 2 * (0.2 + 0.1 * np.arange(12) + 0.6)
    wrong, wrong_by_regression = [], []
    for seed in range(20):
        masks = pairs(64, 12, seed)
        answers = neighbours_work_together(masks, near)
        wrong.append(local_effects(masks, answers, near, noise=0.1).effects - expected)
        signs = 2.0 * masks - 1
        wrong_by_regression.append(2 * signs.T @ answers.sum(axis=1) / 64 - expected)
    assert np.std(wrong) < 0.5 * np.std(wrong_by_regression)
    assert abs(np.mean(wrong)) < 0.1


def test_intervals_hold_what_they_promise():
    """95 of 100 hold the truth."""
    near = np.full((12, 12), 0.05)
    for shift in (-1, 0, 1):
        near[(np.arange(12) + shift) % 12, np.arange(12)] = 0.6
    expected = 2 * (0.2 + 0.1 * np.arange(12) + 0.6)
    held = []
    for seed in range(60):
        masks = independent_masks(49, 12, RANDOM(seed))[1:]
        masks[1::2] = ~masks[::2]
        answers = neighbours_work_together(masks, near)
        found = local_effects(masks, answers + RANDOM(seed).normal(0, 0.1, answers.shape), near)
        margin = 1.96 * np.sqrt(np.diag(found.covariance))
        held.append(np.abs(found.effects - expected) <= margin)
    print("held:", np.mean(held))
    assert 0.9 <= np.mean(held) <= 1


def test_nearness_is_the_share_of_change_in_two_windows():
    regions = np.zeros((16, 16), np.int32)
    regions[:, 8:] = 1
    background = np.zeros((16, 16, 3), np.uint8)
    pixels = np.full((16, 16, 3), 90, np.uint8)
    pixels[:, 8:] = 30  # a third of the change
    found = nearness(regions, pixels, background, (1, 2))
    middle = np.arange(16) + 0.5

    def share(place: float, deviation: float) -> float:
        window = np.exp(-((middle - place) ** 2) / (2 * (8 * deviation) ** 2))
        left, right = 3 * window[:8].sum(), window[8:].sum()
        return left / (left + right)

    expected = [0.6 * share(place, NEAR) + 0.3 * share(place, FAR) for place in (4.0, 12.0)]
    np.testing.assert_allclose(found[0], expected, atol=2e-3)
    np.testing.assert_allclose(found.sum(axis=0), 0.9)


def test_nearness_where_nothing_changes_goes_by_area():
    pixels = np.full((8, 8, 3), 50, np.uint8)
    found = nearness(np.arange(64).reshape(8, 8).astype(np.int32) // 32, pixels, pixels, (1, 1))
    np.testing.assert_allclose(found, 0.45)


def test_what_cannot_be_is_refused():
    masks, near = pairs(6, 3), np.full((3, 2), 0.4)
    with pytest.raises(ValueError, match="do not fit"):
        local_effects(masks, np.zeros((6, 3)), near)
    with pytest.raises(ValueError, match="do not fit"):
        local_effects(masks, np.zeros((6, 2)), near[:2])
