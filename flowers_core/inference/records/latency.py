"""What a manifest records of how fast a model runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Timing:
    """One way of running a model, one photo at a time.

    Attributes:
        median_ms, p95_ms: median and 95th percentile in milliseconds.
        ratio_to_int8: to INT8 on one thread, interleaved in the same run.
        ratio_to_int8_same_threads: to INT8 with as many threads.
        threads: that computed.
    """

    median_ms: float
    p95_ms: float
    ratio_to_int8: float
    ratio_to_int8_same_threads: float | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Latency:
    """Interleaved timings of every way of running a model.

    Attributes:
        machine, cores: where; None for cores where it was not noted.
        rounds: of the interleaving.
        paths: by the backend's name and its threads.
        seconds_to_first_answer: of a process in which nothing is imported, by numeric format, and of Keras.
        peak_megabytes: the most memory that such a process holds, likewise.
    """

    machine: str | None = None
    cores: int | None = None
    rounds: int | None = None
    paths: Mapping[str, Timing] = field(default_factory=dict)
    seconds_to_first_answer: Mapping[str, float] = field(default_factory=dict)
    peak_megabytes: Mapping[str, float] = field(default_factory=dict)
