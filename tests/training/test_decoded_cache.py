from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.training.decoded_cache import open_decoded_cache


class Folder:
    """Three photos of different shapes, and a count of how often files were asked for."""

    def __init__(self, root: Path) -> None:
        self.root, self.print, self.asked = root, "first", 0
        rng = np.random.default_rng(0)
        for photo_id, size in ((1, (60, 40)), (2, (40, 90)), (3, (33, 33))):
            Image.fromarray(rng.integers(0, 256, (*size, 3)).astype(np.uint8)).save(root / f"{photo_id}.png")

    def path(self, photo_id: int) -> Path:
        self.asked += 1
        return self.root / f"{photo_id}.png"

    def fingerprint(self) -> str:
        return self.print


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return Folder(tmp_path / "photos")


def test_photos_come_back_as_they_are_decoded(folder, tmp_path):
    store = open_decoded_cache(folder, [3, 1, 2], tmp_path / "cache")
    assert len(store) == 3
    for photo_id in (1, 2, 3):
        np.testing.assert_array_equal(store[photo_id], open_photo(folder.path(photo_id)).pixels)
        assert not store[photo_id].flags.writeable


def test_a_photo_with_a_longer_short_side_is_scaled_down_to_it(folder, tmp_path):
    store = open_decoded_cache(folder, [1, 2, 3], tmp_path / "cache", short_side=36)
    assert store[1].shape == (54, 36, 3)
    assert store[2].shape == (36, 81, 3)
    assert store[3].shape == (33, 33, 3)


def test_the_second_time_nothing_is_decoded(folder, tmp_path):
    open_decoded_cache(folder, [1, 2], tmp_path / "cache")
    folder.asked = 0
    assert 2 in open_decoded_cache(folder, [2, 1], tmp_path / "cache")
    assert folder.asked == 0


@pytest.mark.parametrize("change", ["data", "ids", "side"])
def test_other_data_photos_or_settings_are_decoded_anew(folder, tmp_path, change):
    open_decoded_cache(folder, [1, 2], tmp_path / "cache")
    folder.asked = 0
    if change == "data":
        folder.print = "second"
    store = open_decoded_cache(
        folder, [1, 3] if change == "ids" else [1, 2], tmp_path / "cache", short_side=30 if change == "side" else 320
    )
    assert folder.asked == 2
    assert (3 in store) == (change == "ids")


def test_an_unreadable_photo_is_named_and_leaves_nothing_behind(folder, tmp_path):
    (folder.root / "2.png").write_bytes(b"not a photo")
    with pytest.raises(PhotoError, match=r"2\.png"):
        open_decoded_cache(folder, [1, 2, 3], tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
