"""The processor's instruction sets, from what Linux says of it."""

from pathlib import Path

import pytest

from scripts.benchmarks.machine import instruction_sets


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
