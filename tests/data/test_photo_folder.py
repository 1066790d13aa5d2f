import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photo_folder import FolderPhoto, PhotoFolderError, ReadPhoto, photos_in, read_photos
from flowers_core.data.photos import open_photo
from flowers_core.data.taxonomy import load_taxonomy
from tests.fixtures.drawn_flowers import draw_flower


def _save(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_flower(seed % 6, np.random.default_rng(seed)).save(path)
    return path


def test_a_folder_a_class(tmp_path: Path) -> None:
    taxonomy = load_taxonomy()
    colts_foot = next(taxon.label for taxon in taxonomy if taxon.name == "colt's foot")
    rose = next(taxon for taxon in taxonomy if taxon.name == "rose")
    sunflower = next(taxon for taxon in taxonomy if taxon.name == "sunflower")
    assert sunflower.scientific_name
    expected = {
        _save(tmp_path / "Colts-Foot" / "b.JPG"): colts_foot,
        _save(tmp_path / "Colts-Foot" / "a.png"): colts_foot,
        _save(tmp_path / str(rose.label) / "c.jpeg"): rose.label,
        _save(tmp_path / sunflower.scientific_name.replace(" ", "_") / "d.webp"): sunflower.label,
        _save(tmp_path / "loose.jpg"): None,
    }
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "rose").mkdir()
    _save(tmp_path / ".hidden" / "e.jpg")
    found = photos_in(tmp_path, taxonomy)
    assert {photo.path: photo.label for photo in found} == expected
    assert [photo.path.name for photo in found if photo.label == colts_foot] == ["a.png", "b.JPG"]


def test_folders_that_do_not_say_what_they_hold(tmp_path: Path) -> None:
    taxonomy = load_taxonomy()
    with pytest.raises(PhotoFolderError, match="There is no folder"):
        photos_in(tmp_path / "absent", taxonomy)
    with pytest.raises(PhotoFolderError, match="There are no photos"):
        photos_in(tmp_path, taxonomy)
    _save(tmp_path / "sunflowr" / "a.jpg")
    with pytest.raises(PhotoFolderError, match="Did you mean 'sunflower'"):
        photos_in(tmp_path, taxonomy)


def test_photos_are_read_in_order_and_broken_ones_named(tmp_path: Path) -> None:
    good = [_save(tmp_path / f"{number:02d}.png", number) for number in range(20)]
    good[7].write_bytes(b"not a photo")
    photos = [FolderPhoto(path, 3) for path in good]
    results = list(read_photos(photos, CropRule(32)))
    for path, result in zip(good, results, strict=True):
        if path == good[7]:
            assert isinstance(result, tuple)
            assert result[0].path == path
            assert "07.png" in str(result[1])
        else:
            assert isinstance(result, ReadPhoto)
            assert result.photo.path == path
            assert result.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            np.testing.assert_array_equal(result.pixels, model_input(open_photo(path).pixels, CropRule(32)).pixels)
    assert Image.open(good[0]).size
