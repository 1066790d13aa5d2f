"""Superpixels, and photos with some of them hidden."""

import numpy as np
import pytest

from flowers_core.explain.lime.superpixels import SEGMENTATIONS, hidden_photo, masked_photos, superpixels

#: Sixteen squares of 8 × 8, numbered row by row.
SQUARES = np.kron(np.arange(16).reshape(4, 4), np.ones((8, 8), int)).astype(np.int32)


def photo(seed: int = 0) -> np.ndarray:
    """Patches of 4 × 4 pixels and a little noise, so that superpixels find something."""
    random = np.random.default_rng(seed)
    patches = np.kron(random.integers(0, 216, size=(8, 8, 3)), np.ones((4, 4, 1), int))
    return (patches + random.integers(0, 40, size=(32, 32, 3))).astype(np.uint8)


def test_hidden_superpixels_take_their_mean_colour_as_in_lime():
    pixels, regions = photo(), superpixels(photo(), "slic", 12)
    expected = pixels.copy()
    for region in np.unique(regions):
        inside = regions == region
        expected[inside] = [np.mean(pixels[inside][:, channel]) for channel in range(3)]
    np.testing.assert_array_equal(hidden_photo(pixels, regions), expected)


def test_hidden_superpixels_can_be_grey():
    assert np.unique(hidden_photo(photo(), SQUARES, "grey")).tolist() == [128]


def test_masked_photos_show_what_the_mask_says():
    pixels, background = photo(0), photo(1)
    masks = np.random.default_rng(3).random((9, 16)) < 0.5
    masks[0] = True
    made = masked_photos(pixels, background, SQUARES, masks)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, np.where(masks[:, SQUARES][..., None], pixels, background))
    np.testing.assert_array_equal(made[0], pixels)


@pytest.mark.parametrize("segmentation", SEGMENTATIONS)
def test_superpixels_follow_what_is_in_the_picture(segmentation):
    corners = np.array([[[220, 30, 30], [30, 160, 40]], [[30, 40, 200], [230, 220, 40]]])
    picture = np.kron(corners, np.ones((48, 48, 1), int)).astype(np.uint8)
    regions = superpixels(picture, segmentation, 16)
    assert regions.shape == (96, 96)
    assert regions.dtype == np.int32
    assert np.unique(regions).tolist() == list(range(regions.max() + 1))
    np.testing.assert_array_equal(regions, superpixels(picture, segmentation, 16))
    # Each quarter of one colour is covered by regions of its own, but for a few pixels along the edges.
    quarters = np.kron(np.arange(4).reshape(2, 2), np.ones((48, 48), int))
    shares = np.array([np.bincount(quarters[regions == region], minlength=4) for region in range(regions.max() + 1)])
    assert shares.max(axis=1).sum() >= 0.97 * 96 * 96
    assert len(set(shares.argmax(axis=1))) == 4


@pytest.mark.parametrize(
    ("segmentation", "least", "most"), [("slic", (6, 45), (12, 80)), ("felzenszwalb", (3, 25), (16, 130))]
)
def test_more_superpixels_on_request(segmentation, least, most):
    waves = 127 + 127 * np.sin(np.indices((96, 96)) / 5).prod(axis=0)
    picture = np.stack([waves, waves.T, 255 - waves], axis=-1).astype(np.uint8)
    for segments, low, high in zip((9, 64), least, most, strict=True):
        assert low <= superpixels(picture, segmentation, segments).max() + 1 <= high
