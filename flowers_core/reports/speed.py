"""The table of `results.md` on speed and memory."""

from collections.abc import Iterator, Sequence

from flowers_core.inference.records.latency import Latency, Timing
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import table


def speed_note() -> str:
    """What the table of speed and memory shows."""
    return (
        "One photo at a time, with interleaved timings of all backends (`flowers benchmarks inference`): median and "
        "95th percentile in milliseconds, with one thread and with one thread for each core (two cores where their "
        "number was not recorded). *÷ int8* is the ratio to INT8 with the same number of threads, which carries over "
        "to other machines. For the columns with one thread, TensorFlow runs in a process of its own that is limited "
        "to one; for the others it chooses. A processor with VNNI multiplies bytes in one instruction, so the ratios "
        "differ between kinds of processors. *First answer* is the time from the start of a process in which nothing "
        "is imported. *Memory* is the peak of such a process (Linux, VmHWM)."
    )


def speed_table(records: Sequence[RunRecord]) -> str:
    """A row for each model and backend that was timed, with one thread and with all cores; "" where none was."""
    rows = [
        (record.name, latency.processor, *row)
        for record in records
        for latency in (record.latency, *record.latency_elsewhere.values())
        for row in _rows(latency)
    ]
    timed = ("ms", "95 %", "÷ int8")
    header = (
        *(
            "model",
            "processor",
            "backend",
            *(f"{name}, 1 thread" for name in timed),
            *(f"{name}, all cores" for name in timed),
        ),
        *("first answer, s", "memory, MB"),
    )
    return table(header, rows) if rows else ""


def _rows(latency: Latency) -> Iterator[tuple[str, ...]]:
    paths, first, peak = latency.paths, latency.seconds_to_first_answer, latency.peak_megabytes
    cores = latency.cores or 2
    # A backend's name without its threads; Keras' names have none where it uses all cores.
    for backend in dict.fromkeys(name.rpartition(", ")[0] or name for name in paths):
        single = paths.get(f"{backend}, 1 thread")
        every = single if cores == 1 else paths.get(f"{backend}, {cores} threads")
        all_cores = paths.get(backend, every)
        alone = "keras" if backend == "keras predict" else backend
        yield (
            backend,
            *_timed(single, single.ratio_to_int8 if single else None),
            *_timed(all_cores, all_cores.ratio_to_int8_same_threads if all_cores else None),
            f"{first[alone]:.1f}" if alone in first else "—",
            f"{peak[alone]:.0f}" if alone in peak else "—",
        )


def _timed(found: Timing | None, ratio: float | None) -> tuple[str, str, str]:
    """Median, 95th percentile and ratio; older records have the ratio to INT8 with one thread only."""
    if found is None:
        return "—", "—", "—"
    return f"{found.median_ms:.1f}", f"{found.p95_ms:.1f}", "—" if ratio is None else f"{ratio:.1f}"
