"""Interleaved timing: the backends take turns at each input, so that what else the machine does meets all of them."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from scripts.options.command import progress

T = TypeVar("T")


@dataclass(frozen=True)
class SelfTimed:
    """The answer of a backend that times itself, as one in another process does: only that time counts."""

    milliseconds: float


def interleaved_times(
    backends: Mapping[str, Callable[[T], Any]], inputs: Iterable[T], *, warm_up: int, total: int | None = None
) -> dict[str, list[float]]:
    """How long each backend takes for each input; every backend sees every input.

    Args:
        backends: from an input to an answer, by name.
        inputs: are read once.
        warm_up: the number of inputs at the beginning that are not counted.
        total: the number of inputs, for the progress bar.

    Returns:
        Milliseconds for each counted input, by name.
    """
    times: dict[str, list[float]] = {name: [] for name in backends}
    for turn, given in enumerate(progress(inputs, "rounds", total)):
        for name, answer in backends.items():
            start = time.perf_counter()
            found = answer(given)
            took = found.milliseconds if isinstance(found, SelfTimed) else (time.perf_counter() - start) * 1e3
            if turn >= warm_up:
                times[name].append(took)
    return times


def ratio(slow: list[float], fast: list[float]) -> float:
    """How many times as long one backend takes: the median of the ratios of neighbours in time.

    The drift of the machine cancels in such a ratio.

    Args:
        slow: times of one backend, as `interleaved_times` gives them.
        fast: those of the other, for the same inputs.
    """
    return float(np.median(np.divide(slow, fast)))
