"""What a benchmark ran on."""

import os
import platform
from collections.abc import Collection
from pathlib import Path

# What makes a network's arithmetic quick or slow, by the flags of Linux; the first of each that is there names it.
_INSTRUCTION_SETS = {
    "AVX2": ("avx2",),
    "AVX-512": ("avx512f",),
    "VNNI": ("avx512_vnni", "avx_vnni"),
    "AMX": ("amx_int8",),
    "NEON": ("asimd", "neon"),
    "dot product": ("asimddp",),
}


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def instruction_sets(info: Path = Path("/proc/cpuinfo")) -> str | None:
    """The processor's instruction sets that matter for networks, such as "AVX2, VNNI"; None where nothing tells."""
    if not info.is_file():
        return None
    flags = next(
        (line.split(":", 1)[1].split() for line in info.read_text().splitlines() if line.startswith(("flags", "Feat"))),
        [],
    )
    return _named(flags) or None


def _named(flags: Collection[str]) -> str:
    return ", ".join(name for name, any_of in _INSTRUCTION_SETS.items() if not set(any_of).isdisjoint(flags))


def machine() -> str:
    """The processor's name and the number of cores, as far as the system tells."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        name = names[0] if names else name
    return f"{name}, {cores()} cores"


def peak_bytes(process: int | str = "self") -> int | None:
    """The most that a process has held in memory, as Linux counts it; None elsewhere, and of one that has ended.

    Unlike getrusage's figure it begins anew with a process, and does not hold what its parent held.

    Args:
        process: its number.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def resident_bytes() -> int:
    """What this process takes in memory, as Linux counts it; 0 elsewhere."""
    counted = Path("/proc/self/statm")
    return int(counted.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if counted.is_file() else 0
