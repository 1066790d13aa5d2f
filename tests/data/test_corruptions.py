import numpy as np
import pytest

from flowers_core.data.corruptions import CORRUPTIONS, corrupted


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A red disc on green, 120 × 160, with a little texture."""
    y, x = np.mgrid[:120, :160]
    pixels = np.where(((y - 60) ** 2 + (x - 80) ** 2 < 40**2)[:, :, None], [200, 40, 60], [40, 110, 50])
    return np.clip(pixels + np.random.default_rng(0).integers(-10, 11, pixels.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_each_kind_is_repeatable_changes_the_photo_and_spares_it(photo: np.ndarray, kind: str) -> None:
    before = photo.copy()
    first = corrupted(photo, kind, 7)
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert first.shape[2] == 3
    assert first.flags.c_contiguous
    np.testing.assert_array_equal(corrupted(photo, kind, 7), first)
    assert first.shape != photo.shape or np.abs(first.astype(int) - photo).mean() > 1
    np.testing.assert_array_equal(photo, before)


@pytest.mark.parametrize("kind", sorted(set(CORRUPTIONS) - {"greyscale", "focus blur", "JPEG 30"}))
def test_what_is_random_differs_from_photo_to_photo(photo: np.ndarray, kind: str) -> None:
    variants = [corrupted(photo, kind, photo_id) for photo_id in range(12)]
    assert any(one.shape != variants[0].shape or (one != variants[0]).any() for one in variants[1:])


def test_another_seed_is_another_suite(photo: np.ndarray) -> None:
    assert (corrupted(photo, "phone noise", 1, seed=1) != corrupted(photo, "phone noise", 1)).any()


def test_a_small_flower_takes_its_share_of_the_frame(photo: np.ndarray) -> None:
    for photo_id in range(10):
        frame = corrupted(photo, "small and off-centre", photo_id)
        assert frame.shape == (160, 160, 3)
        red = (frame[:, :, 0].astype(int) - frame[:, :, 1] > 80).sum()
        disc = np.pi * 40**2
        assert 0.3**2 * disc < red < 0.53**2 * disc


def test_an_edge_leaves_a_corner(photo: np.ndarray) -> None:
    cut = corrupted(photo, "cut off at the edge", 3)
    corners = [photo[:72, :96], photo[:72, 64:], photo[48:, :96], photo[48:, 64:]]
    assert any(np.array_equal(cut, corner) for corner in corners)


def test_grey_is_grey_and_exposure_burns_out(photo: np.ndarray) -> None:
    grey = corrupted(photo, "greyscale", 1)
    assert (grey == grey[:, :, :1]).all()
    bright = corrupted(photo, "over-exposed", 1)
    assert (bright.astype(int) >= photo).all()
    assert (bright[:, :, 0] == 255).mean() > 0.2


@pytest.mark.parametrize("kind", ["motion blur", "focus blur"])
def test_blur_keeps_the_mean_and_loses_the_detail(photo: np.ndarray, kind: str) -> None:
    for photo_id in range(6):
        blurred = corrupted(photo, kind, photo_id)
        assert blurred.shape == photo.shape
        assert blurred.mean() == pytest.approx(photo.mean(), abs=1.5)
        assert (
            np.abs(np.diff(blurred.astype(int), axis=0)).mean()
            < 0.7 * np.abs(np.diff(photo.astype(int), axis=0)).mean()
        )


def test_frames_have_their_aspect(photo: np.ndarray) -> None:
    tall = corrupted(photo, "portrait frame", 2)
    assert tall.shape[0] / tall.shape[1] == pytest.approx(16 / 9, abs=0.02)
    wide = corrupted(photo, "panorama frame", 2)
    assert wide.shape[1] / wide.shape[0] == pytest.approx(16 / 9, abs=0.02)


def test_an_unknown_kind(photo: np.ndarray) -> None:
    with pytest.raises(KeyError):
        corrupted(photo, "rain", 1)
