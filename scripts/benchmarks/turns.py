"""Ways to one answer take turns, so that whatever else the machine does meets them all alike."""

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from scripts.options.command import progress

T = TypeVar("T")


@dataclass(frozen=True)
class Took:
    """What a path answers with that has timed itself, as one in another process does: only that time counts."""

    milliseconds: float


def take_turns(
    paths: Mapping[str, Callable[[T], Any]], inputs: Iterable[T], *, warm_up: int, total: int | None = None
) -> dict[str, list[float]]:
    """Milliseconds of each path for each input after the first `warm_up`; every path sees each input."""
    times: dict[str, list[float]] = {name: [] for name in paths}
    for turn, given in enumerate(progress(inputs, "rounds", total)):
        for name, answer in paths.items():
            start = time.perf_counter()
            found = answer(given)
            took = found.milliseconds if isinstance(found, Took) else (time.perf_counter() - start) * 1e3
            if turn >= warm_up:
                times[name].append(took)
    return times


def ratio(slow: list[float], fast: list[float]) -> float:
    """How many times as long: the median of the ratios of neighbours in time, in which the machine's drift cancels."""
    return float(np.median(np.divide(slow, fast)))


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
