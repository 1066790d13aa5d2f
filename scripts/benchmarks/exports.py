"""Compare the exported models with ours on test photos, each in its own client.

    flowers benchmarks exports BUNDLE --clients mediapipe onnx onnx-float
    flowers benchmarks exports BUNDLE --clients web --photos 500

Model files get the square that ours gets; the page gets the photo's file and decodes, crops and scales it itself. A
client answers alike where its most probable class is ours. Each client must be installed: mediapipe, onnxruntime, or
playwright and a Chromium; `onnx` converts with TensorFlow first. Clients may be asked one after the other, each from an
environment of its own: the record for results.md keeps the figures of those that were not asked.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import model_input
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.inference.bundle import Bundle, load_bundle, model_file
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import Runtime
from flowers_core.reports.exports import ExportFigures, ExportRecord, exports_table, keep_exports
from scripts.benchmarks.export_clients import CLIENTS, Client, opened
from scripts.benchmarks.machine import machine
from scripts.options.command import (
    add_bundle_argument,
    add_data_option,
    add_record_options,
    at_least,
    progress,
    run,
    verb_parser,
)

# Windows that open the page anew.
_TIMES = 9


def main() -> None:
    """Parse the command line, ask every client about the same photos, print how far they agree and record it."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    dataset = dataset_of(bundle, options.data)
    chosen = np.random.default_rng(options.seed).permutation(dataset.split_ids("test"))[: options.photos]
    figures = {}
    for name in options.clients:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            client = stack.enter_context(opened(name, bundle, folder))
            asked = progress(_asked(client, bundle, dataset, CLIENTS[name], chosen.tolist()), name, len(chosen))
            figures[name] = _figures(client, CLIENTS[name], np.array(list(asked), float), dataset.path(int(chosen[0])))
    record = ExportRecord(bundle.name, figures)
    print(exports_table(record))
    if not options.no_record:
        print(f"Wrote {keep_exports(record, options.models)}.")


def _asked(
    client: Client, bundle: Bundle, dataset: Dataset, numeric_format: str, photo_ids: list[int]
) -> Iterator[tuple[bool, float, float, float]]:
    """Of each photo: the same name, difference of probabilities, correlation of maps or NaN, milliseconds."""
    runtime = Runtime(bundle.path(model_file(numeric_format)), workers=1)
    temperature, (weights, _) = bundle.require_calibration().temperature, bundle.head()
    for photo_id in photo_ids:
        photo = dataset.open(photo_id)
        seen = model_input(photo.pixels, bundle.crop_rule)
        forward = runtime.forward(seen.pixels[None])
        probabilities = softmax(forward.logits[0], temperature)
        ours = int(probabilities.argmax())
        reply = client.ask(dataset.path(photo_id), seen.pixels)
        correlation = np.nan
        if reply.evidence is not None:
            size = (photo.width, photo.height)
            expected = class_evidence(forward.features[0], weights, ours + 1, box=seen.box, photo_size=size)
            correlation = float(np.corrcoef(expected.contributions.ravel(), reply.evidence)[0, 1])
        yield reply.column == ours, abs(reply.probability - probabilities[ours]), correlation, reply.milliseconds


def _figures(client: Client, numeric_format: str, rows: np.ndarray, photo: Path) -> ExportFigures:
    alike, difference, correlation, milliseconds = rows.T
    maps = bool(np.isfinite(correlation).all())
    return ExportFigures(
        version=client.version,
        machine=machine(),
        numeric_format=numeric_format,
        size=client.size,
        photos=len(rows),
        alike=int(alike.sum()),
        mean_difference=float(difference.mean()),
        largest_difference=float(difference.max()),
        median_ms=float(np.median(milliseconds)),
        p95_ms=float(np.percentile(milliseconds, 95)),
        mean_correlation=float(correlation.mean()) if maps else None,
        least_correlation=float(correlation.min()) if maps else None,
        first_answers=tuple(client.first_answer(photo) for _ in range(_TIMES)) if client.first_answer else (),
        requests_elsewhere=None if client.strangers is None else len(client.strangers),
    )


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=list(CLIENTS), help="who is asked")
    parser.add_argument("--photos", type=at_least(1), default=1000, metavar="N", help="test photos (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="which photos (default: 0)")
    add_record_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
