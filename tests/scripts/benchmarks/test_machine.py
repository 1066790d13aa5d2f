"""The processor's instruction sets and a process's peak, from what Linux says of them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.benchmarks.machine import instruction_sets, peak_bytes


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("flags\t\t: fpu sse2 avx avx2 fma", "AVX2"),
        ("flags\t\t: avx2 avx512f avx512_vnni amx_int8", "AVX2, AVX-512, VNNI, AMX"),
        ("flags\t\t: avx2 avx_vnni", "AVX2, VNNI"),
        ("Features\t: fp asimd asimddp", "NEON, dot product"),
        ("flags\t\t: fpu sse2", None),
        ("nothing of the kind", None),
    ],
)
def test_named_by_the_flags(tmp_path: Path, line: str, named: str | None) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\nmodel name\t: A\n{line}\n")
    assert instruction_sets(file) == named


def test_where_nothing_tells(tmp_path: Path) -> None:
    assert instruction_sets(tmp_path / "absent") is None


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="no process tells here what it holds")
def test_the_peak_is_of_the_process_and_not_of_its_parent() -> None:
    held = np.ones(2**25)  # 256 MiB
    child = [sys.executable, "-c", "from scripts.benchmarks.machine import peak_bytes; print(peak_bytes())"]
    of_child = int(subprocess.run(child, check=True, capture_output=True, text=True).stdout)
    ours = peak_bytes()
    assert ours is not None
    assert 2**22 < of_child < 2**27 < held.nbytes < ours
    assert peak_bytes(2**30) is None
