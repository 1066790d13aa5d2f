"""The archive of named photos, unpacked again."""

import csv
import io
import zipfile

import pytest

from flowers_core.reports.named_folder import TABLE, NamedPhoto, named_folder


def unpacked(*photos: NamedPhoto) -> tuple[dict[str, bytes], list[list[str]]]:
    with zipfile.ZipFile(io.BytesIO(named_folder(photos, ("path", "name")))) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    table = files.pop(TABLE)
    assert table.startswith(b"\xef\xbb\xbf")
    return files, list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))


def test_photos_lie_in_the_folders_of_their_names_and_the_table_says_where() -> None:
    files, rows = unpacked(
        NamedPhoto("a.HEIC", "rose", b"one", ("a.HEIC", "rose")),
        NamedPhoto("b.jpg", "tulip", b"two", ("b.jpg", "tulip")),
        NamedPhoto("c.jpg", "", None, ("c.jpg", "")),
    )
    assert files == {"rose/a.jpg": b"one", "tulip/b.jpg": b"two"}
    assert rows == [
        ["path", "name", "copy"],
        ["a.HEIC", "rose", "rose/a.jpg"],
        ["b.jpg", "tulip", "tulip/b.jpg"],
        ["c.jpg", "", ""],
    ]


def test_photos_of_one_name_do_not_replace_each_other() -> None:
    files, _ = unpacked(*(NamedPhoto(name, "rose", name.encode(), ("", "")) for name in ("x/a.jpg", "a.png", "A.jpg")))
    assert list(files.values()) == [b"x/a.jpg", b"a.png", b"A.jpg"]
    assert list(files) == ["rose/a.jpg", "rose/a (2).jpg", "rose/A (3).jpg"]


@pytest.mark.parametrize(
    ("file_name", "folder", "place"),
    [
        ("../../etc/passwd.jpg", "..", "unnamed/passwd.jpg"),
        ("C:\\photos\\a.jpg", "pink-yellow dahlia?", "pink-yellow dahlia/a.jpg"),
        ("..", "bird/of:paradise", "bird of paradise/photo.jpg"),
        ("x" * 300 + ".jpg", "rose", f"rose/{'x' * 80}.jpg"),
    ],
)
def test_no_name_leads_out_of_the_archive(file_name: str, folder: str, place: str) -> None:
    files, _ = unpacked(NamedPhoto(file_name, folder, b"", ("", "")))
    assert list(files) == [place]
