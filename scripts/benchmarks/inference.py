"""Answer a photo through every path that can: formats, threads, Keras.

    flowers benchmarks inference BUNDLE

What each costs before its first answer, imports included, and the most memory it ever holds, are measured in a process
of its own. The memory is the peak of the resident set as Linux counts it (VmHWM), which begins anew with a process, as
getrusage's does not; elsewhere it is left out.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle, BundleWriter, load_bundle, model_file
from flowers_core.inference.records.latency import Latency, Timing
from flowers_core.inference.runtime import Runtime
from scripts.benchmarks.keras_worker import KerasWorker
from scripts.benchmarks.turns import cores, machine, ratio, take_turns
from scripts.options.command import add_bundle_argument, at_least, run, verb_parser

_SEED = 0
_WARM_UP = 3

# Each program prints the seconds from its start to its first answer, and goes on to answer twice more.
_FIRST_ANSWER = {
    "litert": """
import time; start = time.perf_counter()
import numpy as np, pathlib, sys
from flowers_core.inference.runtime import Runtime
runtime = Runtime(pathlib.Path(sys.argv[1]), workers=1)
size = runtime.input_size
answer = lambda: runtime.forward(np.zeros((1, size, size, 3), np.uint8))
answer()
print(time.perf_counter() - start)
answer(), answer()
""",
    "keras": """
import time; start = time.perf_counter()
import numpy as np, pathlib, sys
from flowers_core.networks.classifier import load_classifier
classifier = load_classifier(pathlib.Path(sys.argv[1]))
size = classifier.input_shape[1]
answer = lambda: classifier.predict(np.zeros((1, size, size, 3), np.float32), verbose=0)
answer()
print(time.perf_counter() - start)
answer(), answer()
""",
}
_PEAK = """
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.is_file() else []
print(next((line.split()[1] for line in lines if line.startswith("VmHWM:")), "unknown"))
"""


def main() -> None:
    """Parse the command line. Measure, print the table and record the latencies in the bundle."""
    options = _parse()
    rounds, keras = options.rounds, not options.no_keras
    bundle = load_bundle(options.bundle)
    with ExitStack() as workers:
        paths = _litert_paths(bundle)
        if keras:
            paths |= _keras_paths(bundle, workers)
        milliseconds = take_turns(
            {name: path.answer for name, path in paths.items()},
            _photos(bundle.crop_rule.size, _WARM_UP + rounds),
            warm_up=_WARM_UP,
            total=_WARM_UP + rounds,
        )
    models = {precision: ("litert", bundle.path(model_file(precision))) for precision in bundle.precisions}
    if keras:
        models["keras"] = ("keras", bundle.path(CLASSIFIER_FILE))
    first, peak = {}, {}
    for name, (kind, path) in models.items():
        first[name], megabytes = _alone(kind, path)
        if megabytes is not None:
            peak[name] = megabytes

    rows = {
        name: Timing(
            median_ms=float(np.median(times)),
            p95_ms=float(np.percentile(times, 95)),
            ratio_to_int8=ratio(times, milliseconds[_litert_name("int8", 1)]),
            ratio_to_int8_same_threads=ratio(times, milliseconds[_litert_name("int8", paths[name].threads)]),
            threads=paths[name].threads,
        )
        for name, times in milliseconds.items()
    }
    print(f"{'path':27} {'threads':>7} {'median ms':>9} {'95 % ms':>8} {'÷ int8, same threads':>20}")
    for name, row in rows.items():
        print(
            f"{name:27} {row.threads:7} {row.median_ms:9.2f} {row.p95_ms:8.2f} {row.ratio_to_int8_same_threads:20.2f}"
        )
    for name, seconds in first.items():
        memory = f", {peak[name]:.0f} MB of memory at most" if name in peak else ""
        print(f"{name}: {seconds:.2f} s from nothing imported to the first answer{memory}")
    latency = Latency(machine(), cores(), rounds, rows, first, peak)
    BundleWriter.open(options.bundle).update(latency=latency)


@dataclass(frozen=True)
class _Path:
    """From one photo (1, size, size, 3) to an answer, computed with so many threads."""

    threads: int
    answer: Callable[[NDArray[np.uint8]], Any]


def _litert_name(precision: str, threads: int) -> str:
    return f"{precision}, {threads} thread{'s' if threads > 1 else ''}"


def _litert_paths(bundle: Bundle) -> dict[str, _Path]:
    return {
        _litert_name(precision, threads): _Path(
            threads, Runtime(bundle.path(model_file(precision)), workers=1, threads=threads).forward
        )
        for precision in bundle.precisions
        for threads in sorted({1, 2, cores()})
    }


def _keras_paths(bundle: Bundle, workers: ExitStack) -> dict[str, _Path]:
    """Keras held to one thread, and with all cores, which is what it takes when nobody holds it."""
    paths: dict[str, _Path] = {}
    for suffix, held_to, threads in ((", 1 thread", 1, 1), ("", 0, cores())):
        worker = workers.enter_context(KerasWorker(bundle.path(CLASSIFIER_FILE), held_to))
        paths |= {f"{way}{suffix}": _Path(threads, answer) for way, answer in worker.paths().items()}
    return paths


def _photos(size: int, count: int) -> Iterator[NDArray[np.uint8]]:
    generator = np.random.default_rng(_SEED)
    for _ in range(count):
        yield generator.integers(0, 256, (1, size, size, 3), dtype=np.uint8)


def _alone(kind: str, model: Path) -> tuple[float, float | None]:
    """Seconds to the first answer and the most megabytes of memory held, by a process that does nothing else."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_ANSWER[kind] + _PEAK, str(model.resolve())],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), None if kilobytes == "unknown" else int(kilobytes) * 1024 / 1e6


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("--rounds", type=at_least(1), default=100, help="photos for each path (default: 100)")
    parser.add_argument("--no-keras", action="store_true", help="leave the paths out that need TensorFlow")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
