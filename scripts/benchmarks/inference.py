"""Answer a photo through every backend: formats, threads, Keras.

    flowers benchmarks inference BUNDLE

The times are interleaved. What a model costs before its first answer, imports included, and the most memory it holds
are measured in a process of its own.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle, load_bundle, model_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.latency import Latency, Timing, kept_elsewhere
from flowers_core.inference.runtime import Runtime
from scripts.benchmarks.first_answer import first_answer
from scripts.benchmarks.interleaved import interleaved_times, ratio
from scripts.benchmarks.keras_worker import KerasWorker
from scripts.benchmarks.machine import cores, instruction_sets, machine
from scripts.options.command import add_bundle_argument, at_least, run, verb_parser

_WARM_UP = 3


def main() -> None:
    """Parse the command line. Measure, print the table and record the latencies in the bundle."""
    options = _parse()
    rounds, keras = options.rounds, not options.no_keras
    bundle = load_bundle(options.bundle)
    with ExitStack() as workers:
        backends = _litert_backends(bundle)
        if keras:
            backends |= _keras_backends(bundle, workers)
        milliseconds = interleaved_times(
            {name: backend.answer for name, backend in backends.items()},
            _photos(bundle.crop_rule.size, _WARM_UP + rounds),
            warm_up=_WARM_UP,
            total=_WARM_UP + rounds,
        )
    models = {precision: ("litert", bundle.path(model_file(precision))) for precision in bundle.precisions}
    if keras:
        models["keras"] = ("keras", bundle.path(CLASSIFIER_FILE))
    first, peak = {}, {}
    for name, (kind, path) in models.items():
        first[name], megabytes = first_answer(kind, path)
        if megabytes is not None:
            peak[name] = megabytes

    rows = {
        name: Timing(
            median_ms=float(np.median(times)),
            p95_ms=float(np.percentile(times, 95)),
            ratio_to_int8=ratio(times, milliseconds[_litert_name("int8", 1)]),
            ratio_to_int8_same_threads=ratio(times, milliseconds[_litert_name("int8", backends[name].threads)]),
            threads=backends[name].threads,
        )
        for name, times in milliseconds.items()
    }
    print(f"{'backend':27} {'threads':>7} {'median ms':>9} {'95 % ms':>8} {'÷ int8, same threads':>20}")
    for name, row in rows.items():
        milliseconds_shown = f"{row.median_ms:9.2f} {row.p95_ms:8.2f}"
        print(f"{name:27} {row.threads:7} {milliseconds_shown} {row.ratio_to_int8_same_threads:20.2f}")
    for name, seconds in first.items():
        memory = f", {peak[name]:.0f} MB of memory at most" if name in peak else ""
        print(f"{name}: {seconds:.2f} s from nothing imported to the first answer{memory}")
    now = Latency(machine(), cores(), rounds, rows, first, peak, instruction_sets())
    elsewhere = kept_elsewhere(bundle.latency, now, bundle.manifest.latency_elsewhere)
    BundleWriter.open(options.bundle).update(latency=now, latency_elsewhere=elsewhere)


@dataclass(frozen=True)
class _Backend:
    """From one photo (1, size, size, 3) to an answer, computed with so many threads."""

    threads: int
    answer: Callable[[NDArray[np.uint8]], Any]


def _litert_name(precision: str, threads: int) -> str:
    return f"{precision}, {threads} thread{'s' if threads > 1 else ''}"


def _litert_backends(bundle: Bundle) -> dict[str, _Backend]:
    return {
        _litert_name(precision, threads): _Backend(
            threads, Runtime(bundle.path(model_file(precision)), workers=1, threads=threads).forward
        )
        for precision in bundle.precisions
        for threads in sorted({1, 2, cores()})
    }


def _keras_backends(bundle: Bundle, workers: ExitStack) -> dict[str, _Backend]:
    """Keras held to one thread, and with all cores, which is what it takes when nobody holds it."""
    backends: dict[str, _Backend] = {}
    for suffix, held_to, threads in ((", 1 thread", 1, 1), ("", 0, cores())):
        worker = workers.enter_context(KerasWorker(bundle.path(CLASSIFIER_FILE), held_to))
        backends |= {f"{name}{suffix}": _Backend(threads, answer) for name, answer in worker.backends().items()}
    return backends


def _photos(size: int, count: int) -> Iterator[NDArray[np.uint8]]:
    generator = np.random.default_rng(0)
    for _ in range(count):
        yield generator.integers(0, 256, (1, size, size, 3), dtype=np.uint8)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("--rounds", type=at_least(1), default=100, help="photos for each backend (default: 100)")
    parser.add_argument("--no-keras", action="store_true", help="leave out the backends that need TensorFlow")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
