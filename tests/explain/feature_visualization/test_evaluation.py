"""Crops of pictures, and a model that names colours: which of its pictures it names is known."""

import numpy as np

from flowers_core.explain.feature_visualization.evaluation import CROPS, LEAST_SIDE, measured, random_crops
from flowers_core.explain.feature_visualization.pictures import ModelPictures, as_webp
from flowers_core.explain.feature_visualization.visualize import Visualization


class NamesColours:
    """Answers red, green or blue, whichever a photo has most of."""

    input_size = 16

    def logits(self, batch: np.ndarray) -> np.ndarray:
        return batch.astype(np.float32).mean(axis=(1, 2))


def plain(colour: tuple[int, int, int]) -> bytes:
    return as_webp(Visualization(np.full((32, 32, 3), colour, np.uint8), np.ones((32, 32), np.float32)))


def test_rightly_named_pictures_and_crops_are_counted() -> None:
    right, wrong = plain((200, 20, 20)), plain((20, 20, 200))
    pictures = ModelPictures("", {0: right, 1: wrong, 2: wrong, 3: right}, {0: 1.0, 1: 2.0, 2: 4.0, 3: 9.0})
    found = measured(NamesColours(), pictures, seed=3)
    assert (found.pictures, found.crops, found.seed) == (4, CROPS, 3)
    assert found.named.value == found.crops_named.value == 0.5  # the first and the third
    assert found.largest_bytes == max(len(right), len(wrong))
    assert found.seconds == 3.0


def test_crops_lie_inside_and_show_at_least_half_of_the_side() -> None:
    y, x = np.mgrid[:100, :100]
    picture = np.dstack([2 * y, 2 * x, 0 * x]).astype(np.uint8)
    crops = random_crops(picture, 50, 200, np.random.default_rng(0)).astype(float) / 2
    assert crops.shape == (200, 50, 50, 3)
    tall, wide = (np.ptp(crops[..., channel], axis=(1, 2)) for channel in (0, 1))
    assert tall.min() > 100 * LEAST_SIDE - 3
    assert tall.max() > 95
    np.testing.assert_allclose(tall, wide, atol=2)  # squares
    assert crops[..., 0].max() <= 99.5
    assert np.ptp(crops[:, 0, 0, 0]) > 30  # here and there
