from pathlib import Path

import pytest

from flowers_core.data.photo_files import LeftOut, describe_left_out, is_hidden, is_photo, photos_in, walk_photos
from tests.fixtures.pictures import encoded, four_corners


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF", "MPO"])
def test_a_photo_without_an_ending_is_told_by_its_content(tmp_path: Path, pillow_format: str) -> None:
    path = tmp_path / "IMG_0042"
    options = {"save_all": True, "append_images": [four_corners()]} if pillow_format == "MPO" else {}
    path.write_bytes(encoded(four_corners(), pillow_format, **options))
    assert is_photo(path)
    assert is_photo(path.rename(tmp_path / "flower.bin"))


def test_a_file_that_is_called_like_one_need_not_be_opened(tmp_path: Path) -> None:
    assert is_photo(tmp_path / "absent.HIF")
    assert not is_photo(tmp_path / "absent")
    (tmp_path / "notes.md").write_text("# no photo")
    assert not is_photo(tmp_path / "notes.md")


def test_the_photos_in_a_folder_are_those_next_to_each_other_by_path(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.png", "notes.md", "below/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert photos_in(tmp_path) == [tmp_path / "a.png", tmp_path / "b.jpg"]
    assert photos_in(tmp_path / "absent") == []


@pytest.mark.parametrize("name", [".DS_Store", "._a.jpg", "__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini"])
def test_a_systems_own_files_are_hidden(name: str) -> None:
    assert is_hidden(name)
    assert not is_hidden(f"a{name}")


def test_the_order_is_that_of_names_and_a_folders_own_photos_come_first(tmp_path: Path) -> None:
    for name in ("b/z.jpg", "b/a.jpg", "a/c.jpg", "c.jpg", ".git/x.jpg", "b/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    found = list(walk_photos(tmp_path))
    photos = [path.relative_to(tmp_path).as_posix() for path in found if isinstance(path, Path)]
    assert photos == ["c.jpg", "a/c.jpg", "b/a.jpg", "b/z.jpg"]
    left_out = [file for file in found if isinstance(file, LeftOut)]
    assert left_out == [LeftOut(tmp_path / ".git", "hidden"), LeftOut(tmp_path / "b" / "notes.txt", "no photo")]
    assert describe_left_out(left_out) == "2 files (1 hidden, 1 no photo): .git, notes.txt."
    assert describe_left_out(left_out * 4) == "8 files (4 hidden, 4 no photo): .git, notes.txt, .git …."
