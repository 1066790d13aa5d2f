import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.photos import PhotoError
from flowers_core.data.thumbnails import Thumbnails, shrunk


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.full((120, 240, 3), (200, 30, 30), np.uint8)).save(path)
    return path


def test_small_upright_and_of_the_same_colour(photo: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(photo).save(turned, exif=exif, quality=95)
    small = Image.open(io.BytesIO(Thumbnails(tmp_path / "kept").get(turned, 60)))
    assert small.format == "JPEG"
    assert small.size == (30, 60)
    assert np.abs(np.asarray(small).mean(axis=(0, 1)) - (200, 30, 30)).max() < 4


def test_kept_until_the_photo_changes(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Thumbnails(tmp_path / "kept")
    first = kept.get(photo, 60)
    (file,) = (tmp_path / "kept").glob("*/*.jpg")
    assert file.read_bytes() == first
    file.write_bytes(b"kept")
    assert kept.get(photo, 60) == b"kept"
    assert kept.get(photo, 50) != b"kept"
    Image.fromarray(np.zeros((120, 240, 3), np.uint8)).save(photo)
    os.utime(photo, (1, 1))
    assert np.asarray(Image.open(io.BytesIO(kept.get(photo, 60)))).max() < 10


def test_where_nothing_can_be_kept_it_still_answers(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert Thumbnails(tmp_path / "file" / "below").get(photo, 60) == shrunk(photo, 60)


def test_what_is_no_photo_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"gone\.jpg cannot be read"):
        Thumbnails(tmp_path).get(tmp_path / "gone.jpg", 60)
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(PhotoError, match=r"text\.jpg"):
        Thumbnails(tmp_path).get(tmp_path / "text.jpg", 60)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        Thumbnails(tmp_path).get(tmp_path / "text.jpg", 0)


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOWERS_CACHE_DIR", str(tmp_path))
    assert Thumbnails().folder == tmp_path / "thumbnails"
    monkeypatch.delenv("FLOWERS_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert Thumbnails().folder == tmp_path / "cache" / "oxford-flowers" / "thumbnails"
