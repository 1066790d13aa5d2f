import numpy as np
import pytest

from flowers_core.training.scenes import small_in_scenery, small_on_background, tiled


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_tiles_are_the_photo_and_its_mirror_images() -> None:
    photo = np.array([[[1] * 3, [2] * 3]], np.uint8)
    np.testing.assert_array_equal(tiled(photo, 2, drawn())[..., 0], [[1, 2, 2, 1]] * 2)
    sides = {tiled(photo, 3, drawn(seed)).shape for seed in range(10)}
    assert sides == {(2, 4, 3), (3, 6, 3)}


def test_a_photo_on_a_background_has_soft_edges() -> None:
    """A red square of 200, shown at 100. Its edges rise over 8 pixels, of which the eighth is red: 100 − 2 · 7 are."""
    red = np.zeros((200, 260, 3), np.uint8)
    red[..., 0] = 255
    scene = small_on_background(red, (0.5, 0.5), drawn())
    assert scene.shape == (200, 200, 3)
    pure = (scene == (255, 0, 0)).all(axis=2)
    rows, columns = np.where(pure)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1, pure.sum()) == (86, 86, 86 * 86)


def test_scenery_is_a_square_of_the_long_side_with_the_whole_photo_in_it() -> None:
    black = np.zeros((60, 100, 3), np.uint8)
    for seed in range(20):
        scene = small_in_scenery(black, (0.5, 0.5), drawn(seed))
        assert scene.shape == (100, 100, 3)
        # Each of one to three photos is 30 by 50; edges of at most 3 pixels are mixed.
        shown = (scene < 3).all(axis=2).sum()
        assert 24 * 44 <= shown <= 3 * 30 * 50 * 1.1


@pytest.mark.parametrize("scene", [small_on_background, small_in_scenery])
def test_as_many_numbers_are_drawn_whatever_the_photo_measures(scene) -> None:
    small, large = drawn(3), drawn(3)
    scene(np.zeros((30, 40, 3), np.uint8), (0.3, 0.6), small)
    scene(np.zeros((90, 120, 3), np.uint8), (0.3, 0.6), large)
    assert small.random() == large.random()
