"""Compare the exported models with ours on test photos, each in its own client.

    flowers benchmarks exports BUNDLE --clients mediapipe onnx web --photos 1000

Model files get the square that ours gets; the page gets the photo's file and decodes, crops and scales it itself. A
client answers alike where its most probable class is ours. Each client must be installed: mediapipe, onnxruntime, or
playwright and a Chromium; `onnx` converts with TensorFlow first.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.export.model_file import export_onnx, export_tflite
from flowers_core.export.web_page import export_web
from flowers_core.inference.bundle import Bundle, load_bundle, model_file
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import Runtime
from scripts.benchmarks.web_client import web_client
from scripts.options.command import add_bundle_argument, add_data_option, at_least, progress, run, verb_parser

#: Clients, and the numeric format of the model that each is given and compared with.
CLIENTS = {"mediapipe": "int8", "onnx": "int8", "onnx-float": "float16", "web": "int8"}


@dataclass(frozen=True, eq=False)
class Reply:
    """A client's answer to one photo.

    Attributes:
        column: the most probable class, from 0.
        probability: of that class.
        evidence: (h · w) for that class, where the client tells it.
    """

    column: int
    probability: float
    evidence: NDArray[np.float64] | None = None


Client = Callable[[Path, NDArray[np.uint8]], Reply]


def main() -> None:
    """Parse the command line, ask every client about the same photos and print how far they agree."""
    options = _parse()
    bundle, dataset = load_bundle(options.bundle), OxfordFlowers(options.data)
    chosen = np.random.default_rng(options.seed).permutation(dataset.split_ids("test"))[: options.photos]
    formats = {CLIENTS[name] for name in options.clients}
    runtimes = {name: Runtime(bundle.path(model_file(name)), workers=1) for name in formats}
    temperature, (weights, _) = bundle.require_calibration().temperature, bundle.head()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clients = {name: stack.enter_context(_client(name, bundle, folder)) for name in options.clients}
        rows: dict[str, list[tuple[bool, float, float, float]]] = {name: [] for name in clients}
        for photo_id in progress(chosen.tolist(), "photos", len(chosen)):
            photo = dataset.open(photo_id)
            seen = model_input(photo.pixels, bundle.crop_rule)
            forwards = {name: runtime.forward(seen.pixels[None]) for name, runtime in runtimes.items()}
            for name, ask in clients.items():
                forward = forwards[CLIENTS[name]]
                probabilities = softmax(forward.logits[0], temperature)
                ours = int(probabilities.argmax())
                started = time.perf_counter()
                reply = ask(dataset.path(photo_id), seen.pixels)
                milliseconds = 1000 * (time.perf_counter() - started)
                correlation = np.nan
                if reply.evidence is not None:
                    size = (photo.width, photo.height)
                    expected = class_evidence(forward.features[0], weights, ours + 1, box=seen.box, photo_size=size)
                    correlation = float(np.corrcoef(expected.contributions.ravel(), reply.evidence)[0, 1])
                rows[name].append(
                    (reply.column == ours, abs(reply.probability - probabilities[ours]), correlation, milliseconds)
                )
    for name, found in rows.items():
        print(_told(name, found))


def _told(name: str, rows: Sequence[tuple[bool, float, float, float]]) -> str:
    agree, difference, correlation, milliseconds = map(np.array, zip(*rows, strict=True))
    text = (
        f"{name}: the same name for {agree.sum()} of {len(agree)} photos ({agree.mean():.2%}); probabilities differ by "
        f"{difference.mean():.4f} in the mean, {difference.max():.3f} at most; {np.median(milliseconds):.0f} ms a photo"
    )
    if np.isfinite(correlation).all():
        text += f"; maps correlate {correlation.mean():.4f} in the mean, {correlation.min():.3f} at least"
    return text


@contextmanager
def _client(name: str, bundle: Bundle, folder: Path) -> Iterator[Client]:
    if name == "web":
        export_web(bundle, folder / "page")
        with web_client(folder / "page") as page:
            print(f"web: ready {page.ready_after:.2f} s after the address was asked for")

            def ask(path: Path, _: NDArray[np.uint8]) -> Reply:
                found = page.ask(path)
                return Reply(found["column"], found["probability"], np.array(found["evidence"]))

            yield ask
    elif name == "mediapipe":
        export_tflite(bundle, folder / "model.tflite")
        with _mediapipe(folder / "model.tflite") as client:
            yield client
    else:
        path = folder / f"{name}.onnx"
        export_onnx(bundle, path, CLIENTS[name])
        yield _onnx(path)


@contextmanager
def _mediapipe(path: Path) -> Iterator[Client]:
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(path)), max_results=1)
    with vision.ImageClassifier.create_from_options(options) as classifier:

        def ask(_: Path, square: NDArray[np.uint8]) -> Reply:
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(square))
            best = classifier.classify(image).classifications[0].categories[0]
            return Reply(best.index, best.score)

        yield ask


def _onnx(path: Path) -> Client:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))

    def ask(_: Path, square: NDArray[np.uint8]) -> Reply:
        (probabilities,) = session.run(None, {"photo": square[None]})
        column = int(probabilities[0].argmax())
        return Reply(column, float(probabilities[0, column]))

    return ask


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=list(CLIENTS), help="who is asked")
    parser.add_argument("--photos", type=at_least(1), default=1000, metavar="N", help="test photos (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="which photos (default: 0)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
