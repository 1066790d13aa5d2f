"""Photos out of Debian packages, from a server on this machine."""

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Literal

import pytest
import zstandard

from flowers_core.data.download import http as fetching
from flowers_core.data.download.external import (
    FLOWERS,
    NO_FLOWER,
    NO_FLOWER_FOR_FITTING,
    Package,
    download_external,
    external_packages,
)
from flowers_core.data.download.progress import DownloadError, Progress
from flowers_core.data.photo_folder import scan_folder
from flowers_core.data.taxonomy import load_taxonomy
from tests.fixtures.local_oxford import LocalOxford, drop_after, serving

ROSE, CAT = b"a rose's bytes" * 100, b"a cat's bytes" * 50
PICTURES = {"./usr/share/backgrounds/old/rose.jpg": ROSE, "./usr/share/backgrounds/cat.jpg": CAT}


def tar(files: dict[str, bytes], mode: Literal["w", "w:gz", "w:xz"] = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as made:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def deb(name: str, data: bytes) -> bytes:
    """The archive as `ar` writes it: control.tar.gz has an odd number of bytes, so that a padding byte follows."""
    parts = {"debian-binary": b"2.0\n", "control.tar.gz": b"x" * 77, name: data}
    written = b"!<arch>\n"
    for part, content in parts.items():
        head = f"{part:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        written += head + content + b"\n" * (len(content) % 2)
    return written


DEBS = {
    "data.tar": lambda: tar(PICTURES),
    "data.tar.gz": lambda: tar(PICTURES, "w:gz"),
    "data.tar.xz": lambda: tar(PICTURES, "w:xz"),
    "data.tar.zst": lambda: zstandard.ZstdCompressor().compress(tar(PICTURES)),
}


def package(content: bytes, photos: dict[str, str] | None = None, name: str = "old-pictures") -> Package:
    shows = {"usr/share/backgrounds/old/rose.jpg": "rose", "usr/share/backgrounds/cat.jpg": NO_FLOWER}
    file = f"pool/o/{name}_1.0_all.deb"
    return Package(file, hashlib.md5(content).hexdigest(), shows if photos is None else photos)


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "FIRST_PAUSE", 0.01)
    with serving({}) as server:
        yield server


def offer(archive: LocalOxford, content: bytes, name: str = "old-pictures") -> Package:
    archive.files[f"{name}_1.0_all.deb"] = content
    return package(content, name=name)


@pytest.mark.parametrize("data", DEBS)
def test_photos_are_taken_out_of_every_kind_of_package(data: str, archive: LocalOxford, tmp_path: Path) -> None:
    wanted = offer(archive, deb(data, DEBS[data]()))
    told: list[Progress] = []
    assert download_external(tmp_path, archive.url, told.append, packages=[wanted])
    rose = tmp_path / FLOWERS / "rose" / "old-pictures_backgrounds_old_rose.jpg"
    cat = tmp_path / NO_FLOWER / "old-pictures_backgrounds_cat.jpg"
    assert (rose.read_bytes(), cat.read_bytes()) == (ROSE, CAT)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {rose, cat, tmp_path / ".lock"}
    assert told[-1] == Progress("unpacking", "old-pictures", 2, 2)
    # A second call asks nobody.
    asked = len(archive.requests)
    assert not download_external(tmp_path, archive.url, packages=[wanted])
    assert len(archive.requests) == asked


def test_it_goes_on_with_what_is_missing(archive: LocalOxford, tmp_path: Path) -> None:
    first, second = (offer(archive, deb("data.tar.gz", DEBS["data.tar.gz"]()), name) for name in ("first", "second"))
    archive.faults["second_1.0_all.deb"] = [drop_after(90)] * fetching.ATTEMPTS
    with pytest.raises(DownloadError, match="broke off"):
        download_external(tmp_path, archive.url, packages=[first, second])
    assert len(list((tmp_path / NO_FLOWER).iterdir())) == 1
    assert download_external(tmp_path, archive.url, packages=[first, second])
    assert len(archive.ranges("first_1.0_all.deb")) == 1
    assert archive.ranges("second_1.0_all.deb")[-1] is not None
    assert len(list((tmp_path / NO_FLOWER).iterdir())) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<html>no such thing</html>", "damaged .it is no Debian package"),
        (deb("other.tar", b"abcd"), "damaged .it holds no data.tar"),
        (deb("data.tar.xz", tar(PICTURES, "w:xz")[:100]), "damaged"),
        (deb("data.tar.zst", b"no such compression"), "damaged"),
        (deb("data.tar", tar({"./usr/share/backgrounds/cat.jpg": CAT})), "lacks usr/share/backgrounds/old/rose.jpg"),
    ],
)
def test_a_package_that_is_not_right_is_told(
    content: bytes, sentence: str, archive: LocalOxford, tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match=sentence):
        download_external(tmp_path, archive.url, packages=[offer(archive, content)])


def test_another_file_than_the_listed_one_is_refused(archive: LocalOxford, tmp_path: Path) -> None:
    wanted = offer(archive, deb("data.tar", tar(PICTURES)))
    archive.files["old-pictures_1.0_all.deb"] += b"and more"
    with pytest.raises(DownloadError, match="another file than the expected old-pictures"):
        download_external(tmp_path, archive.url, packages=[wanted])
    assert not (tmp_path / FLOWERS).exists()


def test_a_link_in_a_photos_place_is_not_followed(archive: LocalOxford, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        link = tarfile.TarInfo("./usr/share/backgrounds/cat.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
    with pytest.raises(DownloadError, match="is not a photo"):
        download_external(tmp_path, archive.url, packages=[offer(archive, deb("data.tar", buffer.getvalue()))])
    assert not (tmp_path / NO_FLOWER).exists()


def test_the_list_names_classes_and_no_path_twice(tmp_path: Path) -> None:
    packages = external_packages()
    targets = [target for package in packages for target in package.targets().values()]
    assert len(targets) == len(set(targets)) == 528
    assert not [target for target in targets if ".." in target.parts or target.is_absolute()]
    for target in targets:
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / target).touch()
    flowers = scan_folder(tmp_path / FLOWERS, load_taxonomy()).photos
    assert len(flowers) == 43
    assert len({photo.label for photo in flowers}) == 20
    assert [len(list((tmp_path / kind).iterdir())) for kind in (NO_FLOWER, NO_FLOWER_FOR_FITTING)] == [234, 251]
    assert {len(package.md5) for package in packages} == {32}
