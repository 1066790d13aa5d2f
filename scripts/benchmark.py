"""Measure speed as ratios in one run: `python -m scripts.benchmark inference efficientnet_lite0`.

The paths that can answer for one photo take turns, photo by photo, so that whatever else the machine does meets them
all alike. What each costs before its first answer, imports included, is measured in a process of its own.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.bundle import Bundle, BundleWriter, load_bundle
from flowers_core.runtime import Runtime
from scripts.command import add_bundle_argument, progress, run

_SEED = 0
_WARM_UP = 3
_KERAS = ("keras predict", "keras tf.function")

# Each program prints the seconds from its start to its first answer.
_FIRST_ANSWER = {
    "litert": """
import time; start = time.perf_counter()
import numpy as np, pathlib, sys
from flowers_core.runtime import Runtime
runtime = Runtime(pathlib.Path(sys.argv[1]), workers=1)
size = runtime.input_size
runtime.forward(np.zeros((1, size, size, 3), np.uint8))
print(time.perf_counter() - start)
""",
    "keras": """
import time; start = time.perf_counter()
import numpy as np, pathlib, sys
from flowers_core.training.classifier import load_classifier
classifier = load_classifier(pathlib.Path(sys.argv[1]))
size = classifier.input_shape[1]
classifier.predict(np.zeros((1, size, size, 3), np.float32), verbose=0)
print(time.perf_counter() - start)
""",
}


def main() -> None:
    """Parse the command line, measure, print the table and record the latencies in the bundle."""
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmark", description="Measure speed as ratios.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    inference = verbs.add_parser("inference", help="one photo through every path that can answer for it")
    add_bundle_argument(inference)
    inference.add_argument("--rounds", type=int, default=100, help="photos for each path (default: 100)")
    inference.add_argument("--no-keras", action="store_true", help="leave the paths out that need TensorFlow")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    _inference(options.bundle, options.rounds, keras=not options.no_keras)


def _inference(folder: Path, rounds: int, *, keras: bool) -> None:
    bundle = load_bundle(folder)
    paths = _paths(bundle, keras=keras)
    milliseconds = _take_turns(paths, bundle.crop_rule.size, rounds)
    first = {"litert": _seconds_to_first_answer("litert", bundle.path("int8.tflite"))}
    if keras:
        first["keras"] = _seconds_to_first_answer("keras", bundle.path("classifier.keras"))

    rows = {
        name: {"median_ms": float(np.median(times)), "p95_ms": float(np.percentile(times, 95))}
        for name, times in milliseconds.items()
    }
    fastest = milliseconds["int8, 1 thread"]
    print(f"{'path':22} {'median ms':>9} {'95 % ms':>8} {'÷ int8':>7}")
    for name, row in rows.items():
        # The median of the ratios of neighbours in time, not the ratio of medians: the machine's drift cancels.
        row["ratio_to_int8"] = float(np.median(np.divide(milliseconds[name], fastest)))
        print(f"{name:22} {row['median_ms']:9.2f} {row['p95_ms']:8.2f} {row['ratio_to_int8']:7.2f}")
    for name, seconds in first.items():
        print(f"{name}: {seconds:.2f} s from nothing imported to the first answer")
    BundleWriter.open(folder).set(
        "latency", {"machine": _machine(), "rounds": rounds, "paths": rows, "seconds_to_first_answer": first}
    )


def _paths(bundle: Bundle, *, keras: bool) -> dict[str, Callable[[NDArray[np.uint8]], Any]]:
    """Every way from one photo (1, size, size, 3) to an answer, by name."""
    paths: dict[str, Callable[[NDArray[np.uint8]], Any]] = {}
    for precision in bundle.precisions:
        for threads in (1, 2):
            runtime = Runtime(bundle.path(f"{precision}.tflite"), workers=1, threads=threads)
            paths[f"{precision}, {threads} thread{'s' if threads > 1 else ''}"] = runtime.forward
    if keras:
        from flowers_core.training.classifier import load_classifier
        from flowers_core.training.traced import traced

        classifier = load_classifier(bundle.path("classifier.keras"))
        paths["keras predict"] = lambda photo: classifier.predict(photo.astype(np.float32), verbose=0)
        paths["keras tf.function"] = traced(classifier)
    return paths


def _take_turns(paths: dict[str, Callable[[NDArray[np.uint8]], Any]], size: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each path for each round; in a round every path sees the same random photo."""
    generator = np.random.default_rng(_SEED)
    times: dict[str, list[float]] = {name: [] for name in paths}
    for turn in progress(range(_WARM_UP + rounds), "rounds"):
        photo = generator.integers(0, 256, (1, size, size, 3), dtype=np.uint8)
        for name, answer in paths.items():
            start = time.perf_counter()
            answer(photo)
            if turn >= _WARM_UP:
                times[name].append((time.perf_counter() - start) * 1e3)
    return times


def _seconds_to_first_answer(kind: str, model: Path) -> float:
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_ANSWER[kind], str(model.resolve())],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def _machine() -> str:
    """The processor's name and the number of cores, as far as the system tells."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        name = names[0] if names else name
    return f"{name}, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"


if __name__ == "__main__":
    run(main)
