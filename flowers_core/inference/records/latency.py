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
