"""What a manifest records of how fast a model runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Timing:
    """Time of one backend for one photo at a time.

    Attributes:
        median_ms, p95_ms: median and 95th percentile in milliseconds.
        ratio_to_int8: time relative to INT8 on one thread, interleaved in the same run.
        ratio_to_int8_same_threads: time relative to INT8 with as many threads.
        threads: number of threads.
    """

    median_ms: float
    p95_ms: float
    ratio_to_int8: float
    ratio_to_int8_same_threads: float | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Latency:
    """Interleaved timings of every backend of a model.

    Attributes:
        machine, cores: the machine, and its number of cores; None if not recorded.
        instructions: the processor's instruction sets that matter, such as "AVX2, AVX-512, VNNI"; None if not recorded.
        rounds: rounds of the interleaving.
        paths: backend and number of threads → its time.
        seconds_to_first_answer: numeric format or Keras → time of a new process until its first prediction.
        peak_megabytes: numeric format or Keras → peak memory of such a process.
    """

    machine: str | None = None
    cores: int | None = None
    rounds: int | None = None
    paths: Mapping[str, Timing] = field(default_factory=dict)
    seconds_to_first_answer: Mapping[str, float] = field(default_factory=dict)
    peak_megabytes: Mapping[str, float] = field(default_factory=dict)
    instructions: str | None = None

    @property
    def processor(self) -> str:
        """The machine and its instruction sets, in words."""
        known = self.instructions or "instruction sets not recorded"
        return f"{self.machine or 'a machine that was not recorded'} ({known})"


def kept_elsewhere(before: Latency, now: Latency, elsewhere: Mapping[str, Latency]) -> dict[str, Latency]:
    """The timings on other kinds of processors, after a model was timed again.

    Args:
        before: its timings until now.
        now: its new timings.
        elsewhere: those on other kinds until now, by their instruction sets.
    """
    kept = dict(elsewhere)
    if before.paths:
        kept[before.instructions or "not recorded"] = before
    kept.pop(now.instructions or "not recorded", None)
    return kept
