"""Keras in a process of its own, computing with a given number of threads.

TensorFlow sets its number of threads once a process, so each number needs a process of its own. What is compared with
Keras runs in a process that never loads TensorFlow. Photos reach the worker through a pipe. It times its answers
itself, so the pipe is not counted.

The worker: `python -m scripts.benchmarks.keras_worker MODEL THREADS`. It says when it is ready. Then it reads the name
of a backend in a line and the bytes of a photo, and answers with the milliseconds taken, until its input ends.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from scripts.benchmarks.interleaved import SelfTimed

BACKENDS = ("keras predict", "keras tf.function")


class WorkerError(FlowersError):
    """A worker that ended before it had answered; the message ends with what it said."""


class KerasWorker:
    """A process that answers photos by Keras; a context, with which it ends.

    Args:
        classifier: a `.keras` file.
        threads: how many TensorFlow computes with; 0 leaves that to TensorFlow, which takes all cores.
    """

    def __init__(self, classifier: Path, threads: int) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 – closed with the context
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(classifier.resolve()), str(threads)],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )

    def __enter__(self) -> "KerasWorker":
        try:
            self._hear()
        except WorkerError as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()
        self._said.close()

    def backends(self) -> dict[str, Callable[[NDArray[np.uint8]], SelfTimed]]:
        """From one photo (1, size, size, 3) uint8 to an answer, by name."""
        return {name: partial(self._answer, name) for name in BACKENDS}

    def _answer(self, backend: str, photo: NDArray[np.uint8]) -> SelfTimed:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(f"{backend}\n".encode() + photo.tobytes())
            pipe.flush()
        except BrokenPipeError:
            pass  # It has ended: `_hear` tells why.
        return SelfTimed(float(self._hear()))

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        if not line:
            self._process.wait()
            self._said.seek(0)
            raise WorkerError(f"Keras could not be timed: {self._said.read().decode(errors='replace')[-2000:]}")
        return line


def main() -> None:
    """The worker's own program."""
    path, threads = Path(sys.argv[1]), int(sys.argv[2])
    # Whatever a library prints must not be taken for an answer.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        size, backends = _load(path, threads)
        print("ready", file=answers, flush=True)
        while name := sys.stdin.buffer.readline().decode().strip():
            photo = np.frombuffer(sys.stdin.buffer.read(size * size * 3), np.uint8).reshape(1, size, size, 3)
            start = time.perf_counter()
            backends[name](photo)
            print((time.perf_counter() - start) * 1e3, file=answers, flush=True)


def _load(path: Path, threads: int) -> tuple[int, dict[str, Callable[[NDArray[np.uint8]], Any]]]:
    """The side of the photos in pixels, and every backend by name."""
    import tensorflow as tf

    # Before anything makes TensorFlow start its threads, as building a network does.
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)

    from flowers_core.networks.classifier import load_classifier
    from flowers_core.networks.compiled import compiled

    classifier = load_classifier(path)
    predict, function = BACKENDS
    return classifier.input_shape[1], {
        predict: lambda photo: classifier.predict(photo.astype(np.float32), verbose=0),
        function: compiled(classifier),
    }


if __name__ == "__main__":
    main()
