"""Squares pasted where they belong, and a model that counts bright pixels asked about them."""

import numpy as np
import pytest

from flowers_core.explain.counterfactual import Exchange
from flowers_core.explain.pixel_check import PixelCheck, check_on_pixels, pasted

DARK, BRIGHT = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 200, np.uint8)


def exchange(*pairs) -> Exchange:
    return Exchange(1, 2, pairs, np.zeros(len(pairs) + 1), np.zeros(2))


def brightness(photos: np.ndarray) -> np.ndarray:
    """Two logits: 100 for the first class, and the mean of the photo's pixels for the second."""
    mean = photos.reshape(len(photos), -1).mean(axis=1)
    return np.stack([np.full(len(photos), 100.0), mean], axis=1)


def test_a_square_comes_from_its_partner_and_goes_to_its_place() -> None:
    other = np.zeros((8, 8, 3), np.uint8)
    other[4:6, 2:4] = np.arange(12).reshape(2, 2, 3) + 1  # row 2, column 1 of a grid of 4 × 4
    made = pasted(BRIGHT, other, [((0, 3), (2, 1))], (4, 4))
    np.testing.assert_array_equal(made[:2, 6:], other[4:6, 2:4])
    assert (made == 200).sum() == BRIGHT.size - 12
    assert (BRIGHT == 200).all(), "the photo itself stays"


def test_a_grid_that_does_not_divide_the_side() -> None:
    made = pasted(DARK, BRIGHT, [((row, column), (2, 2)) for row in range(3) for column in range(3)], (3, 3))
    # Squares of 8 pixels in three: 0–3, 3–5, 5–8; the last has 3, of which the middle takes 2.
    assert (made == 200).all()
    assert (pasted(DARK, BRIGHT, [((0, 0), (1, 1))], (3, 3)) == 200).sum() == 2 * 2 * 3


def test_the_check_by_hand() -> None:
    """Of four squares two are pasted: half of the photo is at 200, and the second logit at 100."""
    found = check_on_pixels(
        brightness, DARK, BRIGHT, exchange(((0, 0), (0, 0)), ((1, 1), (0, 1))), (2, 2), draws=3, seed=4
    )
    assert (found.before, found.after) == (-100, 0)
    np.testing.assert_array_equal(found.random, [0, 0, 0])  # any two squares are as bright
    assert not found.turned, "as probable is not the rival yet"
    three = exchange(((0, 0), (0, 0)), ((1, 1), (0, 1)), ((0, 1), (1, 1)))
    assert check_on_pixels(brightness, DARK, BRIGHT, three, (2, 2)).turned


def test_random_exchanges_depend_on_the_seed_alone() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    one, same, other = (
        check_on_pixels(brightness, noise, noise[::-1], exchange(((0, 0), (3, 3))), (4, 4), seed=seed).random
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize(("after", "expected"), [(-2.0 + 0.69, False), (-2.0 + 0.70, True), (1.0, True), (-3.0, False)])
def test_odds_are_halved_from_a_gap_of_the_logarithm_of_two_on(after: float, expected: bool) -> None:
    check = PixelCheck(DARK, -2.0, after, np.array([]), False)
    assert bool(check.halved(after, 1.0)) is expected
    assert not check.halved(after, 10.0)
