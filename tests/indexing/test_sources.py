"""Photos in folders, tars and behind URLs, read from real servers on this machine."""

import functools
import http.server
import io
import os
import tarfile
import threading
from pathlib import Path

import pytest

from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.data.photos import PhotoError
from flowers_core.indexing.sources import Source, SourceError, find_sources, read_sources


def content(sources) -> dict[str, bytes | str]:
    return {source.uri: str(data) if isinstance(data, PhotoError) else data for source, data in read_sources(sources)}


def make_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 7
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, one below; a tar with two photos; and files that are none."""
    root = tmp_path / "photos"
    (root / "below").mkdir(parents=True)
    (root / "b.jpg").write_bytes(b"bee")
    (root / "below" / "ñ.png").write_bytes(b"enye")
    (root / "below" / ".hidden.jpg").write_bytes(b"no")
    (root / "notes.txt").write_bytes(b"no")
    make_tar(root / "c.tar", {"1/x.jpg": b"ex", "1/x.json": b"{}", "1/._x.jpg": b"no", "2.webp": b"two"})
    return root


def test_a_folder_is_walked_in_order_with_its_tars(folder: Path) -> None:
    found = list(find_sources([str(folder)]))
    assert [source.uri for source in found] == [str(folder / name) for name in ("b.jpg", "c.tar", "below/ñ.png")]
    assert [source.is_tar for source in found] == [False, True, False]
    assert found[0].modified == (folder / "b.jpg").stat().st_mtime


def test_members_of_a_tar_have_uris_that_fsspec_opens(folder: Path) -> None:
    tar = str(folder / "c.tar")
    read = list(read_sources([Source(tar)]))
    assert read == [
        (Source(f"tar://1/x.jpg::{tar}", 7.0), b"ex"),
        (Source(f"tar://2.webp::{tar}", 7.0), b"two"),
    ]
    fsspec = pytest.importorskip("fsspec")
    for source, data in read:
        with fsspec.open(source.uri) as handle:
            assert handle.read() == data


def test_names_that_are_no_unicode_have_uris_that_are(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9 1.jpg")
    (tmp_path / odd).write_bytes(b"cafe")
    make_tar(tmp_path / "t.tar", {odd: b"in a tar"})
    found = list(find_sources([str(tmp_path)]))
    read = content(found)
    assert list(read) == [f"file://{tmp_path}/caf%E9%201.jpg", f"tar://caf%E9%201.jpg::{tmp_path}/t.tar"]
    assert list(read.values()) == [b"cafe", b"in a tar"]
    assert list(find_sources([found[0].uri])) == found[:1]


def test_what_cannot_be_read_is_named_and_the_rest_is_read(folder: Path) -> None:
    whole = (folder / "c.tar").read_bytes()
    cut = folder / "cut.tar"
    cut.write_bytes(whole[:700])  # in the first member
    read = content([Source(str(folder / "gone.jpg")), Source(str(cut)), Source(str(folder / "b.jpg"))])
    assert read[str(folder / "gone.jpg")] == "It could not be read: No such file or directory."
    assert read[str(cut)].startswith("This tar could not be read to its end: ")
    assert read[str(folder / "b.jpg")] == b"bee"


def test_a_place_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoFolderError, match="There is no photo and no folder"):
        list(find_sources([str(tmp_path / "nowhere")]))
    pytest.importorskip("fsspec")
    with pytest.raises(SourceError, match="odd://x cannot be opened: Protocol not known: odd"):
        list(find_sources(["odd://x"]))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *said) -> None:
        pass


@pytest.fixture
def http_address(folder: Path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.mark.slow  # aiohttp takes seconds to import
def test_a_web_server_s_folder(http_address: str) -> None:
    pytest.importorskip("aiohttp")
    found = list(find_sources([http_address]))
    names = ("b.jpg", "c.tar", "below/%C3%B1.png")
    assert [source.uri for source in found] == [http_address + name for name in names]
    assert list(content(found).values()) == [b"bee", b"ex", b"two", b"enye"]
    with pytest.raises(SourceError, match="cannot be read"):
        list(find_sources([f"{http_address}gone.jpg"]))


@pytest.fixture
def bucket(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """A bucket with the folder's photos, on a server that speaks S3."""
    s3fs, server_of = pytest.importorskip("s3fs"), pytest.importorskip("moto.server")
    server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir("herbarium")
    files.put(f"{folder}/", "herbarium/sheets/", recursive=True)
    yield "s3://herbarium/sheets"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.mark.slow  # boto takes seconds to import
def test_a_bucket(bucket: str) -> None:
    found = list(find_sources([bucket]))
    assert [source.uri for source in found] == [f"{bucket}/{name}" for name in ("b.jpg", "c.tar", "below/ñ.png")]
    assert all(source.modified > 1.6e9 for source in found)
    read = content(found)
    assert list(read) == [found[0].uri, f"tar://1/x.jpg::{bucket}/c.tar", f"tar://2.webp::{bucket}/c.tar", found[2].uri]
    assert list(read.values()) == [b"bee", b"ex", b"two", b"enye"]
    assert [source.uri for source in find_sources([f"{bucket}/b.jpg"])] == [f"{bucket}/b.jpg"]
    for missing in (f"{bucket}/gone.jpg", "s3://no-such-bucket/x"):
        with pytest.raises((PhotoFolderError, SourceError), match=missing):
            list(find_sources([missing]))
    assert content([Source(f"{bucket}/gone.jpg")])[f"{bucket}/gone.jpg"].startswith("It could not be read: ")
