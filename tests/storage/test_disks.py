"""What is on disk after a disk was full, a folder could not be written, or a process was killed in the middle."""

import errno
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.thumbnails import Thumbnails
from flowers_core.storage.files import write_bytes, write_json, write_npz, write_table, write_text
from tests.fixtures.disks import read_only, small_disk
from tests.fixtures.pictures import encoded, four_corners

ROOT = Path(__file__).resolve().parents[2]
LARGE = 600_000
WRITERS: dict[str, Callable[[Path], None]] = {
    "bytes": lambda path: write_bytes(path, bytes(LARGE)),
    "text": lambda path: write_text(path, "x" * LARGE),
    "json": lambda path: write_json(path, ["x" * LARGE]),
    "npz": lambda path: write_npz(path, x=np.zeros(LARGE, np.uint8)),
    "table": lambda path: write_table(path, ["x"], [["x" * 1000]] * (LARGE // 1000)),
}
WRITE_ON_AND_ON = """
import sys
import numpy as np
from pathlib import Path
from flowers_core.storage.files import write_npz
print("begun", flush=True)
for number in range(1, 1_000_000):
    write_npz(Path(sys.argv[1]), x=np.full(300_000, number))
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB."""
    with small_disk(tmp_path / "disk", 256) as mounted:
        yield mounted


@pytest.mark.parametrize("kind", WRITERS)
def test_on_a_full_disk_the_old_file_stays_and_nothing_is_left_beside_it(disk: Path, kind: str) -> None:
    target = disk / "record"
    target.write_text("old")
    with pytest.raises(OSError) as caught:
        WRITERS[kind](target)
    assert caught.value.errno == errno.ENOSPC
    assert target.read_text() == "old"
    assert list(disk.iterdir()) == [target]


@pytest.mark.parametrize("kind", WRITERS)
def test_where_nobody_may_write_the_old_file_stays(disk: Path, kind: str) -> None:
    (disk / "record").write_text("old")
    with read_only(disk), pytest.raises(OSError) as caught:
        WRITERS[kind](disk / "record")
    assert caught.value.errno == errno.EROFS
    assert (disk / "record").read_text() == "old"


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_thumbnails_are_made_all_the_same(tmp_path: Path, disk: Path, how: str) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(encoded(four_corners(), "PNG"))
    if how == "full":
        (disk / "filling").write_bytes(bytes(256 * 1024))
        made = Thumbnails(disk / "small").get(photo, 50)
    else:
        with read_only(disk):
            made = Thumbnails(disk / "small").get(photo, 50)
    assert made == Thumbnails(tmp_path / "small").get(photo, 50)
    assert [path for path in disk.rglob("*") if path.suffix == ".jpg"] == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["full", "read-only", "limited"])
def test_a_verb_says_in_a_sentence_that_it_cannot_write(disk: Path, how: str) -> None:
    """`limited` is what a quota or a file system of the past does: a file may not grow beyond a size."""
    command = [sys.executable, "-m", "scripts", "pack", "efficientnet_lite0_small", str(disk / "flowers.zip")]
    if how == "limited":
        command = ["sh", "-c", 'ulimit -f 100; exec "$0" "$@"', *command]
    if how == "read-only":
        with read_only(disk):
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    else:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().endswith(".")
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(disk.iterdir()) == []


@pytest.mark.slow
def test_a_process_killed_while_it_writes_leaves_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "record.npz"
    seen = []
    for wait in (0.05, 0.11, 0.23):
        command = [sys.executable, "-c", WRITE_ON_AND_ON, str(target)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "begun\n"
            deadline = time.monotonic() + 60
            while not target.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        with np.load(target, allow_pickle=False) as stored:
            assert len(np.unique(stored["x"])) == 1
            seen.append(int(stored["x"][0]))
    assert all(number >= 1 for number in seen)
