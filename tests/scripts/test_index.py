"""`flowers index` as a person calls it: processes that are killed, tars, broken and equal photos, another try."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.retrieval.stores.entries import ENTRY_COLUMNS, VECTOR
from flowers_core.retrieval.stores.indexed_store import IndexedStore
from flowers_core.retrieval.stores.open_store import open_store
from flowers_core.storage.files import FolderBusy, locked
from scripts import index
from tests.fixtures.drawn_flowers import draw_flower
from tests.fixtures.machines import can_make_machines, machines

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow  # each call begins processes that load a model
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
#: Of the photos: four of three each, and the tar.
SHARDS = 5


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 photos in a folder, 6 in a tar; one of each is broken, and one is the same as another."""
    root = tmp_path_factory.mktemp("photos")
    drawn = tmp_path_factory.mktemp("drawn")
    for number in range(18):
        folder = root if number < 12 else drawn
        draw_flower(number % 6, np.random.default_rng(number)).save(folder / f"{number:02d}.jpg")
    for broken in (root / "05.jpg", drawn / "15.jpg"):
        broken.write_bytes(b"\xff\xd8\xff")
    shutil.copy(root / "00.jpg", root / "10.jpg")
    with tarfile.open(root / "more.tar", "w") as tar:
        for path in sorted(drawn.iterdir()):
            tar.add(path, path.name)
    return root


def words(photos: Path, gallery: Path) -> list[str]:
    given = [str(photos), "--gallery", str(gallery), "--bundle", "efficientnet_lite0_small"]
    return [*given, "--workers", "2", "--shard-size", "3"]


def start(photos: Path, gallery: Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "scripts", "index", *words(photos, gallery), *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen]:
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def shards(gallery: Path) -> list[Path]:
    return list((gallery / "shards").glob("[!.]*.parquet"))


def wait_for(what, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def workers_of(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in command_of(child)]


def command_of(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()  # empty once it has ended
    except FileNotFoundError:
        return b""


def entries(gallery: Path) -> list[dict]:
    found = open_store(str(gallery)).batches([*ENTRY_COLUMNS, VECTOR])
    return sorted((row for batch in found for row in batch.to_pylist()), key=lambda row: row["key"])


@pytest.fixture(scope="module")
def undisturbed(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    gallery = tmp_path_factory.mktemp("undisturbed")
    process = start(photos, gallery, "--workers", "1")
    said, complaints = process.communicate()
    assert process.returncode == 1
    assert said.splitlines() == [
        "16 photos embedded, 0 were before; 1 of them all are the same file as another.",
        f"The gallery '{gallery}' holds 15 photos.",
    ]
    assert f"Left out: {photos / '05.jpg'}: This JPEG photo is damaged" in complaints
    assert f"Left out: tar://15.jpg::{photos / 'more.tar'}: This JPEG photo is damaged" in complaints
    assert complaints.splitlines()[-1] == "2 of 18 photos could not be read."
    found = entries(gallery)
    assert len(found) == 15
    return found


@contextmanager
def held_back(photo: Path) -> Iterator[Path]:
    """Nobody comes past this photo: a pipe is in its place, into which nobody writes. Yields the photo itself."""
    changed, itself = photo.stat().st_mtime_ns, photo.with_name(f".{photo.name}")
    photo.rename(itself)
    os.mkfifo(photo)
    os.utime(photo, ns=(changed, changed))
    try:
        yield itself
    finally:
        photo.unlink()
        itself.rename(photo)


@LINUX
def test_a_worker_that_is_killed_costs_nothing(photos: Path, tmp_path: Path, undisturbed: list[dict]) -> None:
    with held_back(photos / "07.jpg") as itself:
        process = start(photos, tmp_path)
        wait_for(lambda: len(shards(tmp_path)) == SHARDS - 1)
        killed = workers_of(process.pid)
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: not set(killed) & set(workers_of(process.pid)))
        (photos / "07.jpg").write_bytes(itself.read_bytes())  # waits for a worker that has come anew
        said, _ = process.communicate()
    assert said.startswith("16 photos embedded, 0 were before")
    assert entries(tmp_path) == undisturbed


@LINUX
def test_a_run_that_is_killed_goes_on_where_it_was(photos: Path, tmp_path: Path, undisturbed: list[dict]) -> None:
    with held_back(photos / "07.jpg"):
        process = start(photos, tmp_path)
        wait_for(lambda: len(shards(tmp_path)) == SHARDS - 1)
        workers = workers_of(process.pid)
        process.kill()
        process.communicate()
        wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    kept = {path: path.stat().st_mtime_ns for path in shards(tmp_path)}
    (tmp_path / "shards" / ".half.1.partial.parquet").write_bytes(b"PAR1")  # as of a worker that was writing
    said, _ = start(photos, tmp_path, "--workers", "1").communicate()
    assert said.startswith("3 photos embedded, 13 were before")  # the shard that was lost
    assert entries(tmp_path) == undisturbed
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # nothing was done twice
    assert not list((tmp_path / "shards").glob(".*.parquet"))


@pytest.mark.skipif(not can_make_machines(), reason="network namespaces cannot be made here")
def test_a_cluster_of_two_machines_one_of_which_dies(photos: Path, tmp_path: Path, undisturbed: list[dict]) -> None:
    pytest.importorskip("distributed")
    with ExitStack() as stack:
        here, others = stack.enter_context(machines(2))
        dask = [sys.executable, "-m", "dask"]
        scheduler = [*dask, "scheduler", "--host", here, "--port", "0", "--no-dashboard"]
        said = stack.enter_context(running(*scheduler)).stderr
        address = next(found[0] for line in said if (found := re.search(r"tcp://[\d.]+:\d+", line)))
        worker = ["worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        workers = [stack.enter_context(running(*other, *dask, *worker)) for other in others]
        itself = stack.enter_context(held_back(photos / "07.jpg"))
        process = start(photos, tmp_path, "--scheduler", address)
        wait_for(lambda: len(shards(tmp_path)) == SHARDS - 1)
        workers[0].kill()
        workers[0].wait()
        (photos / "07.jpg").write_bytes(itself.read_bytes())
        found, _ = process.communicate()
    assert found.startswith("16 photos embedded, 0 were before")
    assert entries(tmp_path) == undisturbed


def test_a_second_call_embeds_what_is_new(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder, gallery = tmp_path / "photos", tmp_path / "gallery"
    folder.mkdir()
    shutil.copy(photos / "00.jpg", folder)
    monkeypatch.setattr(sys, "argv", ["flowers index", *words(folder, gallery), "--workers", "1"])
    index.main()
    assert capsys.readouterr().out.startswith("1 photos embedded, 0 were before; 0 of")
    shutil.copy(photos / "01.jpg", folder)
    index.main()
    assert capsys.readouterr().out.startswith("1 photos embedded, 1 were before; 0 of")
    index.main()
    assert "0 photos embedded, 2 were before" in (said := capsys.readouterr().out)
    assert said.endswith("holds 2 photos.\n")
    monkeypatch.setattr(index, "WORTH_AN_INDEX", 2)
    index.main()
    assert "Making the quick index." in capsys.readouterr().out
    assert isinstance(open_store(str(gallery)), IndexedStore)
    index.main()
    assert "Making" not in capsys.readouterr().out  # nothing has come since
    with locked(gallery / "shards"), pytest.raises(FolderBusy, match="in use by another run"):
        index.main()
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(sys, "argv", ["flowers index", *words(tmp_path / "empty", gallery)])
    with pytest.raises(PhotoFolderError, match="There are no photos in"):
        index.main()
