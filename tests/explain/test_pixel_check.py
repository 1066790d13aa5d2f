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


def test_a_square_comes_from_its_partner_and_fades_into_its_place() -> None:
    """Squares of two pixels: a pixel beside one is half of what lies there in the other photo, a corner a quarter."""
    other = np.zeros((8, 8, 3), np.uint8)
    other[4:6, 2:4] = 100  # row 2, column 1 of a grid of 4 × 4
    other[3:7, 1] = 40  # to its left
    made = pasted(BRIGHT, other, [((0, 3), (2, 1))], (4, 4))[..., 0]
    assert made[:4, 4:].tolist() == [
        [200, (200 + 40) / 2, 100, 100],
        [200, (200 + 40) / 2, 100, 100],
        [200, (3 * 200 + 40) / 4, 200 / 2, 200 / 2],
        [200, 200, 200, 200],
    ]
    assert (made[:, :4] == 200).all()
    assert (BRIGHT == 200).all(), "the photo itself stays"


def test_neighbours_are_averaged_in_any_order() -> None:
    """On one pixel row of squares 2 wide: a square of 80 beside one of 140, each half over its neighbour's edge."""
    other = np.repeat(np.array([80, 80, 80, 80, 140, 140, 140, 140], np.uint8)[None, :, None], 8, axis=0).repeat(
        3, axis=2
    )
    pairs = [((1, 1), (1, 0)), ((1, 2), (1, 3))]
    made = pasted(BRIGHT, other, pairs, (4, 4))
    np.testing.assert_array_equal(made, pasted(BRIGHT, other, pairs[::-1], (4, 4)))
    assert made[2, 1:7, 0].tolist() == [140, 80, 100, 120, 140, 170]


def test_a_grid_that_does_not_divide_the_side() -> None:
    made = pasted(DARK, BRIGHT, [((row, column), (2, 2)) for row in range(3) for column in range(3)], (3, 3))
    assert (made == 200).all()
    # Squares of 8 pixels in three: 0–3, 3–5, 5–8; a third of them is not a whole pixel, and half of two is one.
    assert (pasted(DARK, BRIGHT, [((0, 0), (1, 1))], (3, 3))[0, :, 0]).tolist() == [200, 200, 200, 100, 0, 0, 0, 0]


def test_the_check_by_hand() -> None:
    """Of 64 squares of a pixel, which have no surroundings, 32 are pasted: half of the photo is at 200."""
    rows = [((row, column), (row, 7 - column)) for row in range(8) for column in range(8)]
    found = check_on_pixels(brightness, DARK, BRIGHT, exchange(*rows[:32]), (8, 8), draws=3, seed=4)
    assert (found.before, found.after) == (-100, 0)
    np.testing.assert_array_equal(found.random, [0, 0, 0])  # any 32 squares are as bright
    assert not found.turned, "as probable is not the rival yet"
    assert check_on_pixels(brightness, DARK, BRIGHT, exchange(*rows[:33]), (8, 8)).turned


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
