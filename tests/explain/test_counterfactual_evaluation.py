"""Pairs whose figures are known, and what they add up to."""

import numpy as np
import pytest

from flowers_core.explain.counterfactual_evaluation import Pair, Tried, summarized, try_pair


class Brightness:
    """A model with two positions side by side and two channels: how bright, and how dark, each half of a photo is."""

    def features(self, photos: np.ndarray) -> np.ndarray:
        halves = photos.reshape(len(photos), 8, 2, 4, 3).mean(axis=(1, 3, 4)) / 100
        return np.stack([halves, 2.55 - halves], axis=-1)[:, None]

    def logits(self, photos: np.ndarray) -> np.ndarray:
        return self.features(photos).mean(axis=(1, 2)) @ HEAD + BIAS


#: The first class is bright, the second dark.
HEAD, BIAS = np.eye(2), np.zeros(2)


def test_one_half_turns_a_bright_photo_dark() -> None:
    bright, dark = np.full((8, 8, 3), 180, np.uint8), np.zeros((8, 8, 3), np.uint8)
    found = try_pair(Brightness(), HEAD, BIAS, Pair(bright, dark, 2), temperature=1.0, seed=0)
    # The halves are (1.8, 0.75) and (0, 2.55): one exchanged gives means 0.9 against 1.65.
    assert found.replaced == 1
    assert found.turned
    assert found.changed
    assert found.random == 1  # any half would do
    cooler = try_pair(Brightness(), HEAD, BIAS, Pair(bright, dark, 2), temperature=10.0, seed=0)
    assert cooler.turned
    assert cooler.random == 0  # a gap that moves by 1.8 of 10 does not halve the odds


def test_no_exchange_with_a_photo_that_is_like_it() -> None:
    bright = np.full((8, 8, 3), 180, np.uint8)
    found = try_pair(Brightness(), HEAD, BIAS, Pair(bright, bright, 2), temperature=1.0, seed=0)
    assert found.replaced is None
    assert not found.changed


def test_the_record_counts_by_hand() -> None:
    tried = [
        Tried(2, 0.001, True, True, 0.5),
        Tried(6, 0.003, False, True, 0.25),
        Tried(7, 0.002, False, False, 0.25),
        Tried(None, 0.004, False, False, 0.0),
    ]
    record = summarized(tried, 64, seed=3)
    assert (record.photos, record.places, record.seed) == (4, 64, 3)
    assert record.turned_with_few.value == 0.5
    assert record.replaced == 6
    assert record.milliseconds == pytest.approx(2.5)
    assert record.turned_on_pixels.value == 0.25
    assert record.changed_on_pixels.value == 0.5
    assert record.changed_at_random.value == 0.25
    assert record.turned_with_few.low <= 0.5 <= record.turned_with_few.high
