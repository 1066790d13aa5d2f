import dataclasses

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.training.augmentation import (
    AUGMENTATIONS,
    CROPS,
    NONE,
    PUBLISHED,
    STRONG,
    Augmentation,
    random_view,
    view_generator,
)


@pytest.fixture(scope="module")
def flower():
    return np.ascontiguousarray(load_sample_image("flower.jpg")[::2, ::2])  # 214 × 320


def views(pixels, size, augmentation, count=40):
    return [random_view(pixels, size, augmentation, view_generator(0, view, 1)) for view in range(count)]


def test_without_augmentation_a_view_is_what_the_model_is_served(flower):
    view = random_view(flower, 64, NONE, view_generator(0, 0, 1))
    np.testing.assert_array_equal(view, model_input(flower, CropRule(64)).pixels)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_view_and_photo_give_the_same_pixels(flower, name):
    first, again = views(flower, 48, AUGMENTATIONS[name], 12), views(flower, 48, AUGMENTATIONS[name], 12)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.shape == (48, 48, 3)
        assert a.dtype == np.uint8


@pytest.mark.parametrize("changed", [(1, 0, 1), (0, 1, 1), (0, 0, 2)])
def test_another_seed_view_or_photo_gives_another_view(flower, changed):
    first = random_view(flower, 48, CROPS, view_generator(0, 0, 1))
    assert not np.array_equal(first, random_view(flower, 48, CROPS, view_generator(*changed)))


@pytest.mark.parametrize("name", ["published", "crops", "strong", "far"])
def test_the_same_view_at_two_sizes_shows_the_same_thing(flower, name):
    for view in range(25):
        small = random_view(flower, 56, AUGMENTATIONS[name], view_generator(3, view, 1))
        large = random_view(flower, 112, AUGMENTATIONS[name], view_generator(3, view, 1))
        shrunk = np.asarray(Image.fromarray(large).resize((56, 56), Image.Resampling.BOX), float)
        assert np.abs(shrunk - small).mean() < 10
        assert np.corrcoef(shrunk.ravel(), small.ravel())[0, 1] > 0.95


def test_a_flip_is_the_mirror_image(flower):
    upright = random_view(flower, 64, NONE, view_generator(0, 0, 1))
    mirrored = random_view(flower, 64, Augmentation(flip_share=1.0), view_generator(0, 0, 1))
    np.testing.assert_array_equal(mirrored, upright[:, ::-1])


class Lowest:
    """A generator whose every draw is the lowest possible."""

    def random(self) -> float:
        return 0.0

    def uniform(self, low, _high, size=None):
        return low if size is None else np.full(size, low)


def test_the_lowest_rotation_turns_clockwise_about_the_centre(flower):
    square = np.ascontiguousarray(flower[:200, :200])
    turned = random_view(square, 200, Augmentation(rotation=90.0), Lowest()).astype(int)
    assert np.abs(turned - np.rot90(square, -1)).mean() < 1


def test_brightness_multiplies_the_pixels_within_the_range(flower):
    half = flower // 2  # nothing clips at factors up to 1.3
    base = random_view(half, 64, NONE, view_generator(0, 0, 1)).mean()
    factors = [view.mean() / base for view in views(half, 64, Augmentation(brightness=(0.7, 1.3)), 60)]
    assert 0.69 < min(factors) < 0.78
    assert 1.22 < max(factors) < 1.31


def test_zooming_in_shows_the_middle_and_zooming_out_mirrors_the_edge(flower):
    zoomed = random_view(flower, 64, Augmentation(zoom=(2.0, 2.0)), view_generator(0, 0, 1))
    np.testing.assert_array_equal(zoomed, model_input(flower, CropRule(64, 0.5)).pixels)
    # A photo of a single colour stays one, however far out: no black borders.
    plain = np.full((100, 140, 3), 77, np.uint8)
    assert (random_view(plain, 64, Augmentation(zoom=(0.5, 0.5)), view_generator(0, 0, 1)) == 77).all()


@pytest.mark.parametrize("shape", [(40, 400), (400, 40), (17, 16)])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_long_narrow_and_tiny_photos_have_views_without_black_borders(shape, name):
    geometry = dataclasses.replace(
        AUGMENTATIONS[name], brightness=(1, 1), contrast=(1, 1), saturation=(1, 1), grey_share=0, tint=0, small_share=0,
        erase_share=0,
    )  # fmt: skip
    plain = np.full((*shape, 3), 90, np.uint8)
    for view in views(plain, 32, geometry, 20):
        assert (view == 90).all()


def test_a_random_crop_keeps_the_share_of_the_area_it_is_given():
    # A ramp from left to right and one from top to bottom: their spans in the view tell the crop's width and height.
    ramp = np.zeros((200, 200, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(200)[None, :], np.arange(200)[:, None]
    for view in views(ramp, 100, Augmentation(crop_area=(0.25, 0.25)), 20):
        width = (int(view[50, 90, 0]) - int(view[50, 10, 0])) / 0.8
        height = (int(view[90, 50, 1]) - int(view[10, 50, 1])) / 0.8
        assert width * height == pytest.approx(0.25 * 200 * 200, rel=0.06)
        assert 0.72 < width / height < 1.40


def test_grey_views_have_no_colour(flower):
    view = random_view(flower, 48, Augmentation(grey_share=1.0), view_generator(0, 0, 1))
    assert np.ptp(view.astype(int), axis=2).max() <= 1


def test_a_small_flower_fills_the_share_of_the_frame_it_is_given():
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 0] = 255
    small = Augmentation(small_share=1.0, small_side=(0.5, 0.5))
    for view in views(red, 100, small, 10):
        flower_share = ((view[..., 0] > 250) & (view[..., 1] < 5) & (view[..., 2] < 5)).mean()
        assert 0.15 < flower_share < 0.26


def test_tiled_views_hold_the_photo_four_times(flower):
    square = np.ascontiguousarray(flower[:200, :200])
    view = random_view(square, 100, Augmentation(tiled_share=1.0), view_generator(0, 0, 1)).astype(int)
    assert np.abs(view - view[:, ::-1]).max() <= 1
    assert np.abs(view - view[::-1]).max() <= 1


def test_erasing_fills_one_rectangle_with_one_colour():
    grey = np.full((100, 100, 3), 128, np.uint8)
    for view in views(grey, 100, Augmentation(erase=0.25, erase_share=1.0), 10):
        changed = (view != 128).any(axis=2)
        rows, columns = np.where(changed)
        assert changed.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert 0.01 < changed.mean() < 0.28


def test_in_scenery_the_whole_photo_is_small_and_stays_so():
    """A black photo of 60 by 100 at half the frame's side is 30 by 50 of a frame of 100, on colours seldom black; there
    are one to three of it, which may overlap, and edges up to a tenth of its short side wide are soft."""
    black = np.zeros((60, 100, 3), np.uint8)
    far = Augmentation(
        small_side=(0.5, 0.5),
        small_share=1.0,
        crop_area=(0.01, 0.02),
        laid_out_area=(1.0, 1.0),
        scenery=True,
    )
    shares = [(view < 3).all(axis=2).mean() for view in views(black, 100, far)]
    assert 24 * 44 / 10_000 <= min(shares) < 0.17
    assert 0.17 < max(shares) < 0.5


def test_tiles_are_two_or_three_a_side():
    """Of a photo with one white row and column, in a frame that shows all of it."""
    cross = np.zeros((50, 50, 3), np.uint8)
    cross[20:24] = cross[:, 20:24] = 255
    tiled = Augmentation(tiled_share=1.0, crop_area=(0.1, 0.1), laid_out_area=(1.0, 1.0), most_tiles=3)
    counts = set()
    for view in views(cross, 150, tiled):
        lit = (view[0, :, 0] > 127).astype(int)
        counts.add(int((np.diff(lit) == 1).sum() + lit[0]))
    assert counts == {2, 3}


def test_published_and_strong_are_what_they_are_documented_to_be():
    assert (PUBLISHED.rotation, PUBLISHED.zoom, PUBLISHED.brightness) == (20.0, (0.8, 1.2), (0.7, 1.3))
    assert STRONG.crop_area is not None
    assert STRONG.crop_area[0] < 0.25
