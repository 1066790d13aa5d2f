import csv
import hashlib
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from flowers_core.storage.files import (
    FolderBusy,
    locked,
    replace_folder,
    sha256_of,
    write_atomically,
    write_json,
    write_npz,
    write_table,
    write_text,
)

REPO = Path(__file__).resolve().parents[2]
HOLDER = (
    "import sys, time, pathlib\n"
    "from flowers_core.storage.files import locked\n"
    "with locked(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


def test_two_threads_may_write_one_file_at_once(tmp_path: Path) -> None:
    both = threading.Barrier(2)
    places: list[Path] = []

    def write(beside: Path) -> None:
        places.append(beside)
        both.wait(timeout=20)
        beside.write_bytes(b"whole")
        both.wait(timeout=20)

    threads = [threading.Thread(target=write_atomically, args=(tmp_path / "one.txt", write)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(places)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["one.txt"]
    assert (tmp_path / "one.txt").read_bytes() == b"whole"


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "record.json"
    write_atomically(target, lambda path: path.write_text("{}"))
    assert target.read_text() == "{}"
    assert [path.name for path in target.parent.iterdir()] == ["record.json"]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "record.json"
    target.write_text("old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, fail)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_the_target_keeps_its_old_bytes_until_the_new_ones_are_whole(tmp_path: Path) -> None:
    target = tmp_path / "model.tflite"
    target.write_bytes(b"old")
    seen = []

    def write(path: Path) -> None:
        path.write_bytes(b"new")
        seen.append((path.suffix, target.read_bytes()))

    write_atomically(target, write)
    assert seen == [(".tflite", b"old")]
    assert target.read_bytes() == b"new"


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text").write_text(name)
    with pytest.raises(FileNotFoundError):
        replace_folder(tmp_path / "none", tmp_path / "old", tmp_path / "aside")
    assert (tmp_path / "old" / "text").read_text() == "old"
    replace_folder(tmp_path / "new", tmp_path / "old", tmp_path / "aside")
    assert (tmp_path / "old" / "text").read_text() == "new"
    assert (tmp_path / "aside" / "text").read_text() == "old"
    replace_folder(tmp_path / "aside", tmp_path / "fresh", tmp_path / "unused")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "old"]


def test_sha256_of_more_than_one_chunk(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # 2.56 MB, read in chunks of 1 MiB
    path = tmp_path / "large"
    path.write_bytes(content)
    assert sha256_of(path) == hashlib.sha256(content).hexdigest()


def test_text_json_and_arrays_are_written_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "Löwenzahn\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "Löwenzahn\n".encode()
    write_json(tmp_path / "a.json", {"name": "Löwenzahn", "petals": [1, 2.5, None]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"name": "Löwenzahn", "petals": [1, 2.5, None]}
    assert text.startswith('{\n "name": "Löwenzahn"')
    assert text.endswith("}\n")
    for compressed in (False, True):
        write_npz(tmp_path / "a.npz", compressed=compressed, x=np.arange(3), y=np.zeros((2, 2), np.float32))
        with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
            assert stored["x"].tolist() == [0, 1, 2]
            assert (stored["y"].dtype, stored["y"].shape) == (np.float32, (2, 2))


def test_what_cannot_be_kept_safely_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", float("nan"))
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npz(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    assert list(tmp_path.iterdir()) == []


def test_a_table_reads_back_and_excel_sees_that_it_is_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "new" / "flowers.csv"
    write_table(path, ["name", "photos"], [("Ranúnculo, bianco", 3), ("non\udce9.jpg", 1)])
    assert path.read_bytes().startswith(b"\xef\xbb\xbfname,photos\n")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        assert list(csv.reader(handle)) == [["name", "photos"], ["Ranúnculo, bianco", "3"], ["non\\udce9.jpg", "1"]]


# One writer at a time


def test_held_once_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(FolderBusy), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_another_thread_is_another_holder(tmp_path):
    outcome = []

    def attempt() -> None:
        try:
            with locked(tmp_path):
                outcome.append("held")
        except FolderBusy:
            outcome.append("busy")

    with locked(tmp_path):
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    assert outcome == ["busy"]


def test_released_when_the_body_raises(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        _ = 1 / 0
    with locked(tmp_path):
        pass


def test_two_folders_do_not_mind_each_other(tmp_path):
    (tmp_path / "other").mkdir()
    with locked(tmp_path), locked(tmp_path / "other"):
        pass


def test_a_killed_process_holds_nothing(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(FolderBusy), locked(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
    with locked(tmp_path):
        pass
