"""What a model costs before its first answer, and the most memory it holds, in a process of its own.

The process: `python -m scripts.benchmarks.first_answer BACKEND MODEL`. It prints the seconds from its start to its
first answer, imports included, answers twice more, and prints its peak of memory. That is the resident set as Linux
counts it (VmHWM), which begins anew with a process, as getrusage's does not; elsewhere it is unknown.
"""

# Nothing heavier at the top: what a backend imports is what is timed.
import sys
import time
from collections.abc import Callable
from pathlib import Path


def first_answer(backend: str, model: Path) -> tuple[float, float | None]:
    """Measure a model in a process that does nothing else.

    Args:
        backend: "litert" or "keras".
        model: a `.tflite` or a `.keras` file.

    Returns:
        Seconds to the first answer, and the peak of memory in MB, or None where the system does not tell.
    """
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", __name__, backend, str(model.resolve())],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), None if kilobytes == "unknown" else int(kilobytes) * 1024 / 1e6


def main() -> None:
    """The process's own program."""
    start = time.perf_counter()
    load = {"litert": _litert, "keras": _keras}[sys.argv[1]]
    answer = load(Path(sys.argv[2]))
    answer()
    print(time.perf_counter() - start)
    answer()
    answer()
    print(_peak())


def _litert(model: Path) -> Callable[[], object]:
    import numpy as np

    from flowers_core.inference.runtime import Runtime

    runtime = Runtime(model, workers=1)
    size = runtime.input_size
    return lambda: runtime.forward(np.zeros((1, size, size, 3), np.uint8))


def _keras(model: Path) -> Callable[[], object]:
    import numpy as np

    from flowers_core.networks.classifier import load_classifier

    classifier = load_classifier(model)
    size = classifier.input_shape[1]
    return lambda: classifier.predict(np.zeros((1, size, size, 3), np.float32), verbose=0)


def _peak() -> str:
    """Kilobytes, or "unknown"."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((line.split()[1] for line in lines if line.startswith("VmHWM:")), "unknown")


if __name__ == "__main__":
    main()
