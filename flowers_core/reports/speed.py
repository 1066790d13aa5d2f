"""The table of `results.md` on speed and memory."""

from collections.abc import Sequence

from flowers_core.inference.records.latency import Timing
from flowers_core.reports.run_records import RunRecord
from flowers_core.reports.tables import table


def speed_note() -> str:
    """What the table below it shows."""
    return (
        "One photo at a time, all ways of running a model in turns (`flowers benchmarks inference`): median and 95th "
        "percentile in milliseconds, once with one thread and once with as many as the machine has cores (two where "
        "that was not noted). *÷ int8* is the ratio to INT8 with the same number of threads, which carries over to "
        "other machines. TensorFlow, too, is held to one thread for the first, in a process of its own, and left to "
        "itself for the second. *First answer* counts from a process in which nothing is imported, *memory* is the "
        "most that such a process holds (Linux, VmHWM)."
    )


def speed_table(records: Sequence[RunRecord]) -> str:
    """Every way of running each model that was timed, with one thread and with all cores; nothing where none was."""
    rows = []
    for record in records:
        latency = record.latency
        paths, first, peak = latency.paths, latency.seconds_to_first_answer, latency.peak_megabytes
        cores = latency.cores or 2
        # A way's name without its threads; Keras' names say none where it takes all cores.
        for way in dict.fromkeys(name.rpartition(", ")[0] or name for name in paths):
            single = paths.get(f"{way}, 1 thread")
            every = single if cores == 1 else paths.get(f"{way}, {cores} threads")
            all_cores = paths.get(way, every)
            alone = "keras" if way == "keras predict" else way
            rows.append(
                (
                    record.name,
                    way,
                    *_timed(single, single.ratio_to_int8 if single else None),
                    *_timed(all_cores, all_cores.ratio_to_int8_same_threads if all_cores else None),
                    f"{first[alone]:.1f}" if alone in first else "—",
                    f"{peak[alone]:.0f}" if alone in peak else "—",
                )
            )
    timed = ("ms", "95 %", "÷ int8")
    header = (
        *("model", "way", *(f"{name}, 1 thread" for name in timed), *(f"{name}, all cores" for name in timed)),
        *("first answer, s", "memory, MB"),
    )
    return table(header, rows) if rows else ""


def _timed(found: Timing | None, ratio: float | None) -> tuple[str, str, str]:
    """Median, 95th percentile and ratio; older records compared with INT8 on one thread only."""
    if found is None:
        return "—", "—", "—"
    return f"{found.median_ms:.1f}", f"{found.p95_ms:.1f}", "—" if ratio is None else f"{ratio:.1f}"
