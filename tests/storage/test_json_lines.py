"""Lines survive a kill at any moment, and a half one is cut off."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flowers_core.storage.json_lines import JsonLines, read_json_lines


def test_lines_read_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lines.jsonl"
    with JsonLines(path) as lines:
        lines.add({"path": "Löwenzahn\n.jpg"})
        lines.add([1, None])
        assert list(read_json_lines(path)) == [{"path": "Löwenzahn\n.jpg"}, [1, None]]  # before it is closed
    with JsonLines(path) as lines:
        lines.add(3)
    assert list(read_json_lines(path)) == [{"path": "Löwenzahn\n.jpg"}, [1, None], 3]
    assert "Löwenzahn" in path.read_text(encoding="utf-8")
    assert list(read_json_lines(tmp_path / "absent")) == []


@pytest.mark.parametrize("half", [b'{"path": "a', b"7", b"x" * 200_000, b""])
def test_a_half_line_is_cut_off_and_the_rest_stays(tmp_path: Path, half: bytes) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"[1]\n[2]\n" + half)
    assert list(read_json_lines(path)) == [[1], [2]]
    with JsonLines(path) as lines:
        lines.add([3])
    assert path.read_bytes() == b"[1]\n[2]\n[3]\n"
    path.write_bytes(half)
    JsonLines(path).close()
    assert path.read_bytes() == b""


def test_a_line_that_is_no_json_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"[1]\nnonsense\n\xff\n[2]\n")
    assert list(read_json_lines(path)) == [[1], [2]]


def test_a_name_that_is_no_utf_8_comes_back_as_it_was(tmp_path: Path) -> None:
    with JsonLines(tmp_path / "lines.jsonl") as lines:
        lines.add("caf\udce9.jpg")
    assert (tmp_path / "lines.jsonl").read_text(encoding="utf-8") == '"caf\\udce9.jpg"\n'
    assert list(read_json_lines(tmp_path / "lines.jsonl")) == ["caf\udce9.jpg"]


def test_a_killed_process_loses_no_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    program = (
        "import os, pathlib, signal; from flowers_core.storage.json_lines import JsonLines\n"
        f"lines = JsonLines(pathlib.Path({str(path)!r})); lines.add('kept'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).resolve().parents[2], check=False)
    assert done.returncode != 0
    assert json.loads(path.read_text(encoding="utf-8")) == "kept"
