"""The exported model in each client: MediaPipe, ONNX Runtime, and the static page in a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.export.model_file import export_onnx, export_tflite
from flowers_core.export.web_page import export_web
from flowers_core.inference.bundle import Bundle
from scripts.benchmarks.web_client import web_browser

#: Clients, and the numeric format of the model that each is given and compared with.
CLIENTS = {"mediapipe": "int8", "onnx": "int8", "onnx-float": "float16", "web": "int8"}


@dataclass(frozen=True, eq=False)
class Reply:
    """A client's answer to one photo.

    Attributes:
        column: the most probable class, from 0.
        probability: of that class.
        milliseconds: that the client took.
        evidence: (h · w) for that class, where the client tells it.
    """

    column: int
    probability: float
    milliseconds: float
    evidence: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Client:
    """A client that is ready.

    Attributes:
        ask: takes a photo's file, and the square of it that our model sees.
        version: of the package or browser.
        size: of what was exported, in bytes.
        first_answer: takes a photo's file: seconds until a client that kept nothing has answered; None where that is
            not asked.
        strangers: what was asked of other machines; None where nobody watches.
    """

    ask: Callable[[Path, NDArray[np.uint8]], Reply]
    version: str
    size: int
    first_answer: Callable[[Path], float] | None = None
    strangers: list[str] | None = field(default=None)


@contextmanager
def opened(name: str, bundle: Bundle, folder: Path) -> Iterator[Client]:
    """Export a bundle's model for a client and open it there.

    Args:
        name: of `CLIENTS`.
        bundle: the bundle.
        folder: takes what is exported.
    """
    path = folder / name
    if name == "web":
        size = export_web(bundle, path)
        with web_browser(path) as browser:
            window = browser.client()

            def ask(photo: Path, _: NDArray[np.uint8]) -> Reply:
                found = window.ask(photo)
                return Reply(found["column"], found["probability"], window.show(photo), np.array(found["evidence"]))

            yield Client(ask, browser.version, size, browser.first_answer, browser.strangers)
    elif name == "mediapipe":
        export_tflite(bundle, path)
        with _mediapipe(path) as classify:
            yield Client(_timed(classify), version("mediapipe"), path.stat().st_size)
    else:
        export_onnx(bundle, path, CLIENTS[name])
        yield Client(_timed(_onnx(path)), version("onnxruntime"), path.stat().st_size)


Classify = Callable[[NDArray[np.uint8]], tuple[int, float]]


@contextmanager
def _mediapipe(path: Path) -> Iterator[Classify]:
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(path)), max_results=1)
    with vision.ImageClassifier.create_from_options(options) as classifier:

        def classify(square: NDArray[np.uint8]) -> tuple[int, float]:
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(square))
            best = classifier.classify(image).classifications[0].categories[0]
            return best.index, best.score

        yield classify


def _onnx(path: Path) -> Classify:
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(str(path))

    def classify(square: NDArray[np.uint8]) -> tuple[int, float]:
        (probabilities,) = session.run(None, {"photo": square[None]})
        column = int(probabilities[0].argmax())
        return column, float(probabilities[0, column])

    return classify


def _timed(classify: Classify) -> Callable[[Path, NDArray[np.uint8]], Reply]:
    def ask(_: Path, square: NDArray[np.uint8]) -> Reply:
        started = time.perf_counter()
        column, probability = classify(square)
        return Reply(column, probability, 1000 * (time.perf_counter() - started))

    return ask
