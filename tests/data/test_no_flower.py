"""Pictures without a flower: as many as asked for, the same each time, and none like another."""

from collections import Counter

import numpy as np

from flowers_core.data.no_flower import DRAWN, pictures_without_flower, sample_pictures


def test_pictures_are_counted_seeded_and_different() -> None:
    pictures = list(pictures_without_flower(2, 1))
    counts = Counter(picture.source for picture in pictures)
    assert counts == {**dict.fromkeys(DRAWN, 2), **dict.fromkeys(sample_pictures(), 1)}
    for picture, again in zip(pictures, pictures_without_flower(2, 1), strict=True):
        assert picture.pixels.dtype == np.uint8
        assert picture.pixels.shape[2:] == (3,)
        assert min(picture.pixels.shape[:2]) >= 60
        np.testing.assert_array_equal(picture.pixels, again.pixels)
    assert len({picture.pixels.tobytes() for picture in pictures}) == len(pictures)
    other = next(iter(pictures_without_flower(1, 0, seed=1)))
    assert other.pixels.tobytes() != pictures[0].pixels.tobytes()
