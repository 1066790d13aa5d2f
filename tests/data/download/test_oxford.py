import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from flowers_core.data.download import http as fetching
from flowers_core.data.download.oxford import (
    OXFORD_MD5,
    DownloadError,
    Progress,
    download_dataset,
    download_segmentations,
)
from flowers_core.data.oxford import OxfordFlowers, is_present
from tests.fixtures.local_oxford import (
    ARCHIVE,
    SEGMENTATIONS,
    LocalOxford,
    draw_files,
    drop_after,
    send_instead,
    serving,
    slowly,
)

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return draw_files(tmp_path_factory.mktemp("offered"))


@pytest.fixture
def oxford(files, monkeypatch):
    monkeypatch.setattr(fetching, "FIRST_PAUSE", 0.01)
    with serving(files) as server:
        yield server


def download(root: Path, oxford: LocalOxford, progress=None) -> bool:
    return download_dataset(root, oxford.url, progress, checksums=oxford.checksums)


def photos_of(files, archive: str = ARCHIVE) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(files[archive])) as tar:
        return {Path(member.name).name: tar.extractfile(member).read() for member in tar if member.isfile()}


def names_in(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


WHOLE = {"imagelabels.mat", "setid.mat", "jpg", ".lock"}


def assert_photos_whole(root: Path, files) -> None:
    assert len(OxfordFlowers(root)) == 10
    assert {path.name: path.read_bytes() for path in (root / "jpg").iterdir()} == photos_of(files)


def assert_whole(root: Path, files) -> None:
    assert_photos_whole(root, files)
    assert names_in(root) == WHOLE


def test_fetches_the_dataset_and_leaves_nothing_else(tmp_path, oxford, files):
    root = tmp_path / "new" / "oxford102"
    assert download(root, oxford) is True
    assert_whole(root, files)
    assert oxford.requests == [("imagelabels.mat", None), ("setid.mat", None), (ARCHIVE, None)]


def test_a_second_run_asks_nobody_anything(tmp_path, oxford):
    download(tmp_path, oxford)
    oxford.requests.clear()
    stamp = (tmp_path / "jpg").stat().st_mtime_ns
    assert download(tmp_path, oxford) is False
    assert oxford.requests == []
    assert (tmp_path / "jpg").stat().st_mtime_ns == stamp


def test_a_dropped_connection_is_taken_up_where_it_broke(tmp_path, oxford, files):
    oxford.faults[ARCHIVE] = [drop_after(1000), drop_after(500)]
    download(tmp_path, oxford)
    assert oxford.ranges(ARCHIVE) == [None, "bytes=1000-", "bytes=1500-"]
    assert_whole(tmp_path, files)


def test_a_run_that_gave_up_is_taken_up_by_the_next(tmp_path, oxford, files):
    oxford.faults[ARCHIVE] = [drop_after(1000)] + [drop_after(0)] * 4
    with pytest.raises(DownloadError, match=r"102flowers.tgz broke off 5 times in a row, last at 1 kB .*go on"):
        download(tmp_path, oxford)
    assert not is_present(tmp_path)
    assert (tmp_path / f"{ARCHIVE}.partial").stat().st_size == 1000
    oxford.requests.clear()
    download(tmp_path, oxford)
    assert oxford.requests == [(ARCHIVE, "bytes=1000-")]
    assert_whole(tmp_path, files)


def test_a_wrong_table_or_archive_is_refused(tmp_path, oxford):
    for name in ("imagelabels.mat", ARCHIVE):
        oxford.faults[name] = [send_instead(b"<html>Please log in to this network</html>")]
        with pytest.raises(DownloadError, match=f"another file than the expected {name}"):
            download(tmp_path, oxford)
        assert not is_present(tmp_path)
        assert not list(tmp_path.glob("*.partial"))


def test_the_real_checksums_are_the_default(tmp_path, oxford):
    assert set(OXFORD_MD5) == {ARCHIVE, "imagelabels.mat", "setid.mat", SEGMENTATIONS}
    with pytest.raises(DownloadError, match=f"instead of {OXFORD_MD5['imagelabels.mat']}"):
        download_dataset(tmp_path, oxford.url)


def test_an_archive_killed_just_before_unpacking_is_not_fetched_again(tmp_path, oxford, files):
    (tmp_path / f"{ARCHIVE}.partial").write_bytes(files[ARCHIVE])
    download(tmp_path, oxford)
    assert oxford.ranges(ARCHIVE) == []
    assert_whole(tmp_path, files)


def test_an_archive_that_somebody_brought_is_used_and_kept(tmp_path, oxford, files):
    (tmp_path / ARCHIVE).write_bytes(files[ARCHIVE])
    download(tmp_path, oxford)
    assert oxford.ranges(ARCHIVE) == []
    assert names_in(tmp_path) == WHOLE | {ARCHIVE}


def test_what_a_killed_unpacking_left_is_thrown_away(tmp_path, oxford, files):
    (tmp_path / "jpg.partial").mkdir()
    (tmp_path / "jpg.partial" / "image_00001.jpg").write_bytes(b"half a ph")
    download(tmp_path, oxford)
    assert_whole(tmp_path, files)


def test_an_incomplete_folder_of_photos_is_replaced(tmp_path, oxford, files):
    download(tmp_path, oxford)
    (tmp_path / "jpg" / "image_00007.jpg").unlink()
    (tmp_path / "jpg" / "image_00003.jpg").write_bytes(b"half a ph")
    assert download(tmp_path, oxford) is True
    assert_whole(tmp_path, files)


def test_a_folder_of_other_photos_is_left_alone(tmp_path, oxford):
    (tmp_path / "jpg").mkdir()
    (tmp_path / "jpg" / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(DownloadError, match=r"holds other things .*holiday\.jpg.*Move it away"):
        download(tmp_path, oxford)
    assert (tmp_path / "jpg" / "holiday.jpg").read_bytes() == b"precious"


def test_another_version_of_a_table_is_replaced(tmp_path, oxford, files):
    download(tmp_path, oxford)
    (tmp_path / "setid.mat").write_bytes(b"something else")
    oxford.requests.clear()
    assert download(tmp_path, oxford) is True
    assert oxford.requests == [("setid.mat", None)]
    assert_whole(tmp_path, files)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../evil.jpg", tarfile.REGTYPE),
        ("jpg/../../evil.jpg", tarfile.REGTYPE),
        ("/tmp/flowers-evil.jpg", tarfile.REGTYPE),
        ("..\\evil.jpg", tarfile.REGTYPE),
        ("jpg/image_00001.jpg", tarfile.SYMTYPE),
        ("jpg/image_00001.jpg", tarfile.LNKTYPE),
        ("jpg/image_00001.jpg", tarfile.FIFOTYPE),
        ("jpg/image_00001.jpg", tarfile.CHRTYPE),
    ],
)
def test_a_dangerous_archive_is_refused_whole(tmp_path, oxford, name, kind):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.size = kind, "../../etc/passwd", 4 if kind == tarfile.REGTYPE else 0
        tar.addfile(member, io.BytesIO(b"evil"))
    oxford.files[ARCHIVE] = archive.getvalue()
    root = tmp_path / "inside" / "oxford102"
    with pytest.raises(DownloadError, match="leads out of the folder"):
        download(root, oxford)
    assert not is_present(root)
    assert names_in(root) <= {"imagelabels.mat", "setid.mat", ".lock", f"{ARCHIVE}.partial"}
    assert names_in(tmp_path) == {"inside"}
    assert names_in(tmp_path / "inside") == {"oxford102"}
    assert not Path("/tmp/flowers-evil.jpg").exists()


def test_a_full_disk_is_told_before_the_archive_is_fetched(tmp_path, oxford, monkeypatch):
    size = len(oxford.files[ARCHIVE])
    usage = shutil._ntuple_diskusage(10 * size, 9 * size, 2 * size - 1)  # one byte short of archive and photos
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DownloadError, match=r"too little space .*kB are needed"):
        download(tmp_path, oxford)
    assert not (tmp_path / f"{ARCHIVE}.partial").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the administrator may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path, oxford):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DownloadError, match="cannot be written to"):
            download(tmp_path / "oxford102", oxford)
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_way_is_told(tmp_path, oxford):
    (tmp_path / "oxford102").write_text("I am a file")
    with pytest.raises(DownloadError, match="cannot be written to: File exists"):
        download(tmp_path / "oxford102", oxford)


def test_only_web_addresses(tmp_path):
    with pytest.raises(DownloadError, match="no web address"):
        download_dataset(tmp_path, "file:///etc/")


def test_two_downloads_into_one_folder(tmp_path, oxford, files):
    refused = []

    def again(_: Progress) -> None:
        if not refused:
            with pytest.raises(DownloadError, match=r"Another download .* is under way") as caught:
                download(tmp_path, oxford)
            refused.append(caught.value)

    download(tmp_path, oxford, again)
    assert len(refused) == 1
    assert_whole(tmp_path, files)


class Cancelled(BaseException):
    """What a web framework raises to stop a script is no Exception."""


@pytest.mark.parametrize("step", ["fetching", "unpacking"])
def test_a_callback_that_raises_stops_and_the_next_run_goes_on(tmp_path, oxford, files, step):
    def cancel(now: Progress) -> None:
        if now.step == step and now.name == ARCHIVE and now.done:
            raise Cancelled

    # The first bytes alone, so that there is a middle in which to stop.
    oxford.faults[ARCHIVE] = [drop_after(2000)]
    with pytest.raises(Cancelled):
        download(tmp_path, oxford, cancel)
    assert not is_present(tmp_path)
    assert not (tmp_path / "jpg").exists()
    assert not (tmp_path / "jpg.partial").exists()
    oxford.requests.clear()
    download(tmp_path, oxford)
    assert oxford.ranges(ARCHIVE) == (["bytes=2000-"] if step == "fetching" else [])
    assert_whole(tmp_path, files)


def test_an_os_error_of_the_callback_is_not_taken_for_a_full_disk(tmp_path, oxford):
    def fail(_: Progress) -> None:
        raise BrokenPipeError("the terminal is gone")

    with pytest.raises(BrokenPipeError, match="the terminal is gone"):
        download(tmp_path, oxford, fail)


def test_progress_runs_from_nothing_to_all(tmp_path, oxford):
    seen: list[Progress] = []
    download(tmp_path, oxford, seen.append)
    fetched = [now for now in seen if now.step == "fetching" and now.name == ARCHIVE]
    assert [now.done for now in fetched] == sorted(now.done for now in fetched)
    assert fetched[-1].done == fetched[-1].total == len(oxford.files[ARCHIVE])
    assert seen[-1] == Progress("unpacking", ARCHIVE, 10, 10)
    assert seen[-1].fraction == 1.0
    assert seen[-1].sentence == "Unpacking: photo 10 of 10"


def segment(root: Path, oxford: LocalOxford, progress=None) -> bool:
    return download_segmentations(root, oxford.url, progress, checksums=oxford.checksums)


def assert_segmented(root: Path, files) -> None:
    assert_photos_whole(root, files)
    assert {path.name: path.read_bytes() for path in (root / "segmim").iterdir()} == photos_of(files, SEGMENTATIONS)
    assert names_in(root) == WHOLE | {"segmim"}


def test_segmentations_come_after_the_dataset_and_only_when_asked_for(tmp_path, oxford, files):
    with pytest.raises(DownloadError, match=r"belong to the dataset, which comes first: imagelabels\.mat is missing"):
        segment(tmp_path, oxford)
    download(tmp_path, oxford)
    assert_whole(tmp_path, files)
    oxford.requests.clear()
    assert segment(tmp_path, oxford) is True
    assert oxford.requests == [(SEGMENTATIONS, None)]
    assert len(photos_of(files, SEGMENTATIONS)) == 10
    assert_segmented(tmp_path, files)
    oxford.requests.clear()
    assert segment(tmp_path, oxford) is False
    assert oxford.requests == []


def test_segmentations_that_broke_off_are_taken_up_and_are_whole_or_not_there(tmp_path, oxford, files):
    download(tmp_path, oxford)
    oxford.requests.clear()
    oxford.faults[SEGMENTATIONS] = [drop_after(1000)] + [drop_after(0)] * 4
    with pytest.raises(DownloadError, match=r"102segmentations.tgz broke off 5 times in a row"):
        segment(tmp_path, oxford)
    assert not (tmp_path / "segmim").exists()
    assert is_present(tmp_path)

    def cancel(now: Progress) -> None:
        if now.step == "unpacking":
            raise Cancelled

    oxford.requests.clear()
    with pytest.raises(Cancelled):
        segment(tmp_path, oxford, cancel)
    assert oxford.requests == [(SEGMENTATIONS, "bytes=1000-")]
    assert not (tmp_path / "segmim").exists()
    oxford.requests.clear()
    segment(tmp_path, oxford)
    assert oxford.requests == []
    assert_segmented(tmp_path, files)
    # One that was deleted by hand is noticed.
    (tmp_path / "segmim" / "segmim_00004.jpg").unlink()
    assert segment(tmp_path, oxford) is True
    assert_segmented(tmp_path, files)


def test_another_archive_of_segmentations_is_refused(tmp_path, oxford, files):
    download(tmp_path, oxford)
    oxford.faults[SEGMENTATIONS] = [send_instead(b"<html>Please log in to this network</html>")]
    with pytest.raises(DownloadError, match=f"another file than the expected {SEGMENTATIONS}"):
        segment(tmp_path, oxford)
    oxford.files[SEGMENTATIONS] = files[ARCHIVE]  # whole and well, and holds photos instead
    with pytest.raises(DownloadError, match="holds 0 of the dataset's 10 segmentations"):
        segment(tmp_path, oxford)
    assert not (tmp_path / "segmim").exists()


def script(root: Path, oxford: LocalOxford, *more: str) -> list[str]:
    """The real script's main in a process of its own; only the checksums are those of the drawn files."""
    arguments = ["--data", str(root), "--url", oxford.url, *more]
    imports = "from scripts.options.command import run; from scripts.download_data import main"
    return [sys.executable, "-c", f"{imports}; run(lambda: main({arguments!r}, {oxford.checksums!r}))"]


def run_script(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_the_script_says_what_it_did(tmp_path, oxford, files):
    first, second = (run_script(script(tmp_path, oxford)) for _ in range(2))
    assert (first.returncode, first.stdout) == (0, f"10 photos are now in {tmp_path}.\n")
    assert (second.returncode, second.stdout) == (0, f"10 photos were there already, in {tmp_path}.\n")
    assert_whole(tmp_path, files)
    third = run_script(script(tmp_path, oxford, "--segmentations"))
    assert third.stdout == second.stdout + f"10 segmentations are now in {tmp_path}.\n"
    assert_segmented(tmp_path, files)


def test_the_script_tells_a_failure_in_a_sentence(tmp_path, oxford):
    ended = run_script([sys.executable, "-m", "scripts.download_data", "--data", str(tmp_path), "--url", oxford.url])
    assert ended.returncode == 1
    assert "another file than the expected imagelabels.mat" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_script_killed_in_the_middle_leaves_nothing_that_looks_whole(tmp_path, oxford, files):
    oxford.faults[ARCHIVE] = [slowly]
    partial = tmp_path / f"{ARCHIVE}.partial"
    process = subprocess.Popen(script(tmp_path, oxford), cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with process:
        wait_until(lambda: partial.exists() and partial.stat().st_size > 8192)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    arrived = partial.stat().st_size
    assert 8192 < arrived < len(files[ARCHIVE])
    assert not is_present(tmp_path)
    oxford.requests.clear()
    assert run_script(script(tmp_path, oxford)).returncode == 0
    assert oxford.requests == [(ARCHIVE, f"bytes={arrived}-")]
    assert_whole(tmp_path, files)


@pytest.mark.slow
def test_a_download_killed_while_unpacking_leaves_nothing_that_looks_whole(tmp_path, oxford, files):
    die = (
        "import os, signal\n"
        "from flowers_core.data.download.oxford import download_dataset\n"
        "def die(now):\n"
        "    if now.step == 'unpacking': os.kill(os.getpid(), signal.SIGKILL)\n"
        f"download_dataset({str(tmp_path)!r}, {oxford.url!r}, die, checksums={oxford.checksums!r})\n"
    )
    ended = run_script([sys.executable, "-c", die])
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "jpg.partial").is_dir()
    assert not is_present(tmp_path)
    oxford.requests.clear()
    assert run_script(script(tmp_path, oxford)).returncode == 0
    assert oxford.requests == []
    assert_whole(tmp_path, files)


def wait_until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        threading.Event().wait(0.01)
