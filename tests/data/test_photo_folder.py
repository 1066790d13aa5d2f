import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photo_folder import FolderPhoto, PhotoFolderError, ReadPhoto, read_photos, scan_folder
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
    found = scan_folder(tmp_path, taxonomy).photos
    assert {photo.path: photo.label for photo in found} == expected
    assert [photo.path.name for photo in found if photo.label == colts_foot] == ["a.png", "b.JPG"]


def test_folders_that_do_not_say_what_they_hold(tmp_path: Path) -> None:
    taxonomy = load_taxonomy()
    with pytest.raises(PhotoFolderError, match="There is no folder"):
        scan_folder(tmp_path / "absent", taxonomy)
    with pytest.raises(PhotoFolderError, match="There are no photos"):
        scan_folder(tmp_path, taxonomy)
    _save(tmp_path / "sunflowr" / "a.jpg")
    with pytest.raises(PhotoFolderError, match="Did you mean 'sunflower'"):
        scan_folder(tmp_path, taxonomy)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("lotus", 78),  # torchvision's and TFDS' name
        ("lotus lotus", 78),  # cat_to_name.json's
        ("barberton daisy", 41),
        ("pink-yellow dahlia?", 60),  # TFDS'
        ("colts foot", 12),
        ("globe flower", 16),
        ("bee_balm", 92),
        ("1", 1),
        ("01", 1),
        ("001", 1),
        ("0102", 102),
        ("Nelumbo nucifera", 78),
    ],
)
def test_names_that_copies_of_the_data_set_have(tmp_path: Path, name: str, label: int) -> None:
    _save(tmp_path / name / "a.jpg")
    assert [photo.label for photo in scan_folder(tmp_path, load_taxonomy()).photos] == [label]


@pytest.mark.parametrize("name", ["0", "103", "5000"])
def test_a_number_is_not_compared_with_names(tmp_path: Path, name: str) -> None:
    _save(tmp_path / name / "a.jpg")
    with pytest.raises(PhotoFolderError, match=r"none of the 102 classes. Numbers run from 1 to 102\.") as told:
        scan_folder(tmp_path, load_taxonomy())
    assert "Did you mean" not in str(told.value)


def test_folders_within_a_class_and_other_endings(tmp_path: Path) -> None:
    expected = [
        _save(tmp_path / "sunflower" / name)
        for name in ("b.jfif", "c.jpe", "花.jpg", "2024/a.jpg", "2024/May/e.png", "2025/d.JPG")
    ]
    unnamed = _save(tmp_path / "sunflower" / "f.jpg").rename(tmp_path / "sunflower" / "IMG_0042")
    found = scan_folder(tmp_path, load_taxonomy())
    assert {photo.path for photo in found.photos} == {*expected, unnamed}
    assert {photo.label for photo in found.photos} == {54}
    assert found.left_out == ()
    assert found.describe_left_out() is None


def test_what_a_system_puts_beside_the_photos_is_left_out_and_counted(tmp_path: Path) -> None:
    photo = _save(tmp_path / "54" / "a.jpg")
    (tmp_path / "__MACOSX" / "54").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "54" / "._a.jpg").write_bytes(b"\0\5\x16\7")
    (tmp_path / "54" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "54" / "._a.jpg").write_bytes(b"\0\5\x16\7")
    (tmp_path / "54" / "notes.txt").write_text("no photo")
    found = scan_folder(tmp_path, load_taxonomy())
    assert [(one.path, one.label) for one in found.photos] == [(photo, 54)]
    assert {file.path.name: file.reason for file in found.left_out} == {
        "__MACOSX": "hidden",
        "Thumbs.db": "hidden",
        "._a.jpg": "hidden",
        "notes.txt": "no photo",
    }
    told = found.describe_left_out()
    assert told is not None
    assert told.startswith("4 files (3 hidden, 1 no photo): ")


@pytest.mark.parametrize("names", [("train", "valid", "test"), ("Training", "val", "Test"), ("train", "validation")])
def test_the_root_of_a_copy_with_splits_points_at_one(tmp_path: Path, names: tuple[str, ...]) -> None:
    for split in names:
        _save(tmp_path / split / "54" / "a.jpg")
    with pytest.raises(PhotoFolderError, match="holds the splits of a data set") as told:
        scan_folder(tmp_path, load_taxonomy())
    place = Path(str(told.value).split("Give one of them: ")[1])
    assert place.name.casefold() == ("test" if len(names) == 3 else "train")
    assert [photo.label for photo in scan_folder(place, load_taxonomy()).photos] == [54]


def test_links_are_followed_and_circles_come_to_an_end(tmp_path: Path) -> None:
    photo = _save(tmp_path / "elsewhere" / "a.jpg")
    root = tmp_path / "mine"
    (root / "rose").mkdir(parents=True)
    (root / "rose" / "x.jpg").symlink_to(photo)
    (root / "sunflower").symlink_to(photo.parent)
    (root / "rose" / "again").symlink_to(root / "rose")
    found = {one.path: one.label for one in scan_folder(root, load_taxonomy()).photos}
    assert found == {root / "rose" / "x.jpg": 74, root / "sunflower" / "a.jpg": 54}


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
