import io
import random
import tarfile
from pathlib import Path

import pytest

from flowers_core.data.download import archive as unpacking
from flowers_core.data.download.archive import unpack_photos
from flowers_core.data.download.progress import DownloadError, Progress


def archive_of(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        folder = tarfile.TarInfo("jpg")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def photos(count: int) -> list[tuple[str, bytes]]:
    """Names and contents; random, so that they do not compress, as JPEG does not."""
    return [
        (f"jpg/image_{photo_id:05d}.jpg", random.Random(photo_id).randbytes(1000)) for photo_id in range(1, count + 1)
    ]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def unpack(archive: Path, folder: Path, count: int = 3) -> list[Progress]:
    seen: list[Progress] = []
    unpack_photos(archive, folder, count, seen.append)
    return seen


def test_unpacks_each_photo_under_its_own_name(tmp_path, folder):
    seen = unpack(archive_of(tmp_path / "a.tgz", photos(3)), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        Path(name).name: content for name, content in photos(3)
    }
    assert seen == [Progress("unpacking", "a.tgz", done, 3) for done in (1, 2, 3)]


def test_a_dot_before_the_folder_makes_no_difference(tmp_path, folder):
    unpack(archive_of(tmp_path / "a.tgz", [(f"./{name}", content) for name, content in photos(3)]), folder)
    assert len(list(folder.iterdir())) == 3


def test_other_files_are_passed_over(tmp_path, folder):
    others = [
        ("jpg/Thumbs.db", b"x"),
        ("jpg/image_00000.jpg", b"x"),  # ids begin at 1
        ("jpg/image_00004.jpg", b"x"),  # and end at the number of photos
        ("jpg/deeper/image_00001.jpg", b"x"),
        ("segmim/image_00001.jpg", b"x"),
        ("jpg/segmim_00001.jpg", b"x"),
        ("image_00001.jpg", b"x"),
        ("README", b"x"),
    ]
    unpack(archive_of(tmp_path / "a.tgz", photos(3) + others), folder)
    assert sorted(path.name for path in folder.iterdir()) == [Path(name).name for name, _ in photos(3)]
    assert (folder / "image_00001.jpg").read_bytes() == photos(1)[0][1]


def test_a_missing_photo_is_told(tmp_path, folder):
    with pytest.raises(DownloadError, match=r"holds 2 of the dataset's 3 photos"):
        unpack(archive_of(tmp_path / "a.tgz", photos(2)), folder)


@pytest.mark.parametrize("kept", [0, 5, 200, 1500, 2500])
def test_a_truncated_archive_is_told(tmp_path, folder, kept):
    archive = archive_of(tmp_path / "a.tgz", photos(3))
    archive.write_bytes(archive.read_bytes()[:kept])
    with pytest.raises(DownloadError, match=r"a\.tgz (is damaged|holds 0 of)"):
        unpack(archive, folder)


def test_bytes_that_are_no_archive_are_told(tmp_path, folder):
    (tmp_path / "a.tgz").write_bytes(b"<html>not an archive</html>" * 100)
    with pytest.raises(DownloadError, match=r"a\.tgz is damaged"):
        unpack(tmp_path / "a.tgz", folder)


def test_a_photo_too_large_to_be_one_is_refused_before_it_is_written(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_BYTES_PER_PHOTO", 999)
    with pytest.raises(DownloadError, match=r"image_00001.jpg in a.tgz is too large"):
        unpack(archive_of(tmp_path / "a.tgz", photos(3)), folder)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told(tmp_path, folder):
    (folder / "image_00002.jpg").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"is full\. Free some space"):
        unpack(archive_of(tmp_path / "a.tgz", photos(3)), folder)


def test_what_the_callback_raises_passes_through(tmp_path, folder):
    def fail(_: Progress) -> None:
        raise OSError("mine")

    with pytest.raises(OSError, match="mine"):
        unpack_photos(archive_of(tmp_path / "a.tgz", photos(3)), folder, 3, fail)
