"""The classifier on LiteRT: photos in, logits, features and embedding out. TensorFlow is not needed, nor imported."""

import copy
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import Bundle, model_file

OUTPUTS = ("logits", "features", "embedding")
LinearHead = tuple[NDArray[np.float32], NDArray[np.float32]]


class RuntimeModelError(FlowersError):
    """A TFLite file is not one of this project's classifiers; the message says what is wrong with it."""


@dataclass(frozen=True, eq=False)
class Forward:
    """The outputs of one forward pass for n photos.

    Attributes:
        logits: (n, classes) float32.
        features: (n, h, w, c) float32, the last feature map, not negative.
        embedding: (n, c) float32, the mean of `features` over h and w.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    embedding: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.logits)


class Runtime:
    """One TFLite classifier, safe to call from many threads.

    Two threads must not use one LiteRT interpreter at the same time, so there is a pool of `workers` interpreters, each
    with `threads` threads of its own. A call with several photos spreads them over the free interpreters. The results
    depend neither on the interpreter that computed them nor on the number of interpreters.
    """

    def __init__(self, model: Path | bytes, *, workers: int = 2, threads: int = 1) -> None:
        """Load a model.

        Args:
            model: a TFLite file, or its content.
            workers: interpreters in the pool, at least 1.
            threads: threads of each interpreter, at least 1.

        Raises:
            RuntimeModelError: when it is not one of this project's classifiers.
        """
        if workers < 1 or threads < 1:
            raise ValueError("workers and threads must be at least 1.")
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        content, name = (model, "The model") if isinstance(model, bytes) else (model.read_bytes(), model.name)
        for _ in range(workers):
            self._idle.put(_Worker(content, threads, name))
        with self._borrow() as worker:
            self.input_size: int = worker.size
        self._pool = _Pool(workers)
        self._head: LinearHead | None = None

    def with_head(self, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> "Runtime":
        """This model with another linear layer, on the same interpreters.

        Args:
            weights: (c, classes) float32.
            bias: (classes,) float32. Both make the logits of the embedding, in the place of the graph's own; for a
                model that was taught classes which its graph does not know.
        """
        other = copy.copy(self)
        other._head = (weights, bias)
        return other

    def forward(self, batch: NDArray[np.uint8]) -> Forward:
        """Run the classifier on photos (n, size, size, 3) uint8 RGB, n ≥ 1. Raises ValueError for any other array."""
        parts = self._run(batch, OUTPUTS)
        return Forward(*(np.stack([part[name] for part in parts]) for name in OUTPUTS))

    def logits(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Only the logits (n, classes) float32, for methods that look at many variants of a photo."""
        return np.stack([part["logits"] for part in self._run(batch, ("logits",))])

    def features(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Only the last feature maps (n, h, w, c) float32, for methods that split what is linear in them."""
        return np.stack([part["features"] for part in self._run(batch, ("features",))])

    def _run(self, batch: NDArray[np.uint8], names: tuple[str, ...]) -> list[dict[str, NDArray[np.float32]]]:
        expected = (self.input_size, self.input_size, 3)
        if batch.ndim != 4 or batch.shape[1:] != expected or batch.dtype != np.uint8 or len(batch) == 0:
            raise ValueError(
                f"The model takes uint8 photos of shape (n, {expected[0]}, {expected[1]}, 3) with n ≥ 1; "
                f"got {batch.dtype} of shape {batch.shape}."
            )
        if len(batch) == 1:
            with self._borrow() as worker:
                return [worker.run(batch[0], names, self._head)]
        return list(self._pool.threads().map(lambda photo: self._run_one(photo, names), batch))

    def _run_one(self, photo: NDArray[np.uint8], names: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
        with self._borrow() as worker:
            return worker.run(photo, names, self._head)

    @contextmanager
    def _borrow(self) -> Iterator["_Worker"]:
        worker = self._idle.get()
        try:
            yield worker
        finally:
            self._idle.put(worker)


def open_runtime(bundle: Bundle, numeric_format: str, *, workers: int = 2, threads: int = 1) -> Runtime:
    """A bundle's model in one numeric format, with the bundle's own head if it was taught classes later.

    Args:
        bundle: the bundle.
        numeric_format: the format of its TFLite model.
        workers, threads: as for `Runtime`.

    Raises:
        BundleError: the bundle lacks the file, or the file is damaged.
        RuntimeModelError: the file is not one of this project's classifiers.
    """
    runtime = Runtime(bundle.path(model_file(numeric_format)), workers=workers, threads=threads)
    return runtime.with_head(*bundle.head()) if bundle.manifest.taught else runtime


class _Pool:
    """Threads for batches, started only when the first one comes: a page that shows one photo needs none."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._workers, thread_name_prefix="litert")
            return self._executor


class _Worker:
    """One interpreter with its input and output indices looked up once."""

    def __init__(self, content: bytes, threads: int, file_name: str) -> None:
        try:
            self._interpreter: Any = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            signature = self._interpreter.get_signature_runner("serving_default")
        except (ValueError, RuntimeError) as error:
            raise RuntimeModelError(f"{file_name} is not a TFLite classifier of this project: {error}") from error
        inputs = signature.get_input_details()
        outputs = signature.get_output_details()
        if len(inputs) != 1 or set(outputs) != set(OUTPUTS):
            raise RuntimeModelError(
                f"{file_name} must have one input and the outputs {', '.join(OUTPUTS)}; "
                f"it has {len(inputs)} and {', '.join(sorted(outputs))}."
            )
        (entry,) = inputs.values()
        shape = tuple(int(n) for n in entry["shape"])
        if entry["dtype"] is not np.uint8 or len(shape) != 4 or shape[0] != 1 or shape[1] != shape[2] or shape[3] != 3:
            raise RuntimeModelError(f"{file_name} must take one uint8 RGB photo; it takes {entry['dtype']} {shape}.")
        self.size = shape[1]
        self._input = entry["index"]
        self._outputs = {name: outputs[name]["index"] for name in OUTPUTS}

    def run(
        self, photo: NDArray[np.uint8], names: tuple[str, ...], head: LinearHead | None
    ) -> dict[str, NDArray[np.float32]]:
        self._interpreter.set_tensor(self._input, photo[None])
        self._interpreter.invoke()
        # get_tensor copies, so the arrays outlive the interpreter's next run.
        found = {name: self._interpreter.get_tensor(self._outputs[name])[0] for name in names}
        if head is not None and "logits" in found:
            weights, bias = head
            found["logits"] = self._interpreter.get_tensor(self._outputs["embedding"])[0] @ weights + bias
        return found
