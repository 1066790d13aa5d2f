"""Superpixels, and photos with some of them hidden."""

import numpy as np
import pytest

from flowers_core.explain.lime.superpixels import ALGORITHMS, Segmentation, SegmentedPhoto, mean_colours, segment
from tests.explain.lime.drawn import SQUARES, photo


def test_hidden_superpixels_take_their_mean_colour_as_in_lime():
    pixels, superpixels = photo(), segment(photo(), Segmentation(segments=12))
    expected = pixels.copy()
    for superpixel in np.unique(superpixels):
        inside = superpixels == superpixel
        expected[inside] = [np.mean(pixels[inside][:, channel]) for channel in range(3)]
    np.testing.assert_array_equal(mean_colours(pixels, superpixels), expected)


def test_masked_photos_show_what_the_mask_says():
    drawn = SegmentedPhoto(photo(), SQUARES)
    assert drawn.count == 16
    np.testing.assert_array_equal(drawn.baseline, mean_colours(photo(), SQUARES))
    masks = np.random.default_rng(3).random((9, 16)) < 0.5
    masks[0] = True
    made = drawn.masked(masks)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, np.where(masks[:, SQUARES][..., None], photo(), drawn.baseline))
    np.testing.assert_array_equal(made[0], photo())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_superpixels_follow_what_is_in_the_picture(algorithm):
    corners = np.array([[[220, 30, 30], [30, 160, 40]], [[30, 40, 200], [230, 220, 40]]])
    picture = np.kron(corners, np.ones((48, 48, 1), int)).astype(np.uint8)
    superpixels = segment(picture, Segmentation(algorithm, 16))
    assert superpixels.shape == (96, 96)
    assert superpixels.dtype == np.int32
    assert np.unique(superpixels).tolist() == list(range(superpixels.max() + 1))
    np.testing.assert_array_equal(superpixels, segment(picture, Segmentation(algorithm, 16)))
    # Each quarter of one colour is covered by superpixels of its own, but for a few pixels along the edges.
    quarters = np.kron(np.arange(4).reshape(2, 2), np.ones((48, 48), int))
    shares = np.array(
        [np.bincount(quarters[superpixels == number], minlength=4) for number in range(superpixels.max() + 1)]
    )
    assert shares.max(axis=1).sum() >= 0.97 * 96 * 96
    assert len(set(shares.argmax(axis=1))) == 4


@pytest.mark.parametrize(
    ("algorithm", "least", "most"), [("slic", (6, 45), (12, 80)), ("felzenszwalb", (3, 25), (16, 130))]
)
def test_more_superpixels_on_request(algorithm, least, most):
    waves = 127 + 127 * np.sin(np.indices((96, 96)) / 5).prod(axis=0)
    picture = np.stack([waves, waves.T, 255 - waves], axis=-1).astype(np.uint8)
    for segments, low, high in zip((9, 64), least, most, strict=True):
        assert low <= segment(picture, Segmentation(algorithm, segments)).max() + 1 <= high
