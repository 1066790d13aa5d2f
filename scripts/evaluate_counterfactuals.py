"""Measure how few places turn a mistake into the right answer, in the last layer and on pixels.

    flowers evaluate_counterfactuals efficientnet_lite0_joined

For test photos that the INT8 model mistakes, the least exchange of places with the nearest training photo of the true
class is found and pasted into the photo, beside random exchanges of as many places. The record goes into the bundle,
for the page *Identify* and `results.md`.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import model_input
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.evaluation.report import mistakes
from flowers_core.explain.counterfactual_evaluation import Pair, summarized, try_pair
from flowers_core.explain.method_evaluation import FORMAT
from flowers_core.explain.records.counterfactuals import COUNTERFACTUALS_FILE
from flowers_core.inference.bundle import Bundle, load_bundle, predictions_file
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import open_runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.storage.typed_json import to_json
from scripts.options.command import add_bundle_argument, add_data_option, at_least, progress, run, verb_parser


def main() -> None:
    """Parse the command line, try the pairs, write the record."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    bundle.require_unseen("test")
    temperature = bundle.require_calibration().temperature
    pairs = _pairs(bundle, dataset_of(bundle, options.data), options.photos, options.seed)
    runtime = open_runtime(bundle, FORMAT)
    head, bias = bundle.head()
    tried = [
        try_pair(runtime, head, bias, pair, temperature=temperature, seed=options.seed + number)
        for number, pair in enumerate(progress(pairs, "photos", options.photos))
    ]
    rows, columns = runtime.features(np.zeros((1, runtime.input_size, runtime.input_size, 3), np.uint8)).shape[1:3]
    record = summarized(tried, rows * columns, options.seed)
    BundleWriter.open(bundle.folder).add_json(COUNTERFACTUALS_FILE, to_json(record))
    for name, value in vars(record).items():
        print(f"{name}: {value}")


def _pairs(bundle: Bundle, flowers: Dataset, photos: int, seed: int) -> Iterator[Pair]:
    """Mistaken test photos, drawn at random, each with the nearest training photo of its true class."""
    predictions = load_predictions(bundle.path(predictions_file("test")), FORMAT)
    wrong = mistakes(predictions, 1.0)
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    for number in np.random.default_rng(seed).permutation(len(wrong))[:photos]:
        mistake = wrong[number]
        vector = gallery.vector(mistake.photo_id)
        (nearest,) = gallery.search(vector, 1, splits={"train"}, labels={mistake.true_label})
        pixels, other = (
            model_input(flowers.open(photo_id).pixels, bundle.crop_rule).pixels
            for photo_id in (mistake.photo_id, nearest.photo_id)
        )
        yield Pair(pixels, other, mistake.true_label)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--photos", type=at_least(1), default=200, help="mistaken test photos (default: 200)")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos and the exchanges (default: 0)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
