"""Measure whether the training photos that are said to have decided did decide.

    flowers evaluate_representers efficientnet_lite0_joined

Every test photo is answered once more as a sum over the training photos. For a sample of them heads are fitted anew
without some of the training photos, and compared with what the shares foretell. It needs the bundle alone, not the
photos. The record goes into the bundle, for `results.md`.
"""

import numpy as np

from flowers_core.evaluation.predictions import load_predictions
from flowers_core.explain.method_evaluation import FORMAT
from flowers_core.explain.records.representers import REPRESENTERS_FILE
from flowers_core.explain.representer_evaluation import evaluate_representers
from flowers_core.explain.representers import representers_of
from flowers_core.inference.bundle import BundleError, load_bundle, predictions_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.storage.typed_json import to_json
from scripts.options.command import add_bundle_argument, at_least, run, verb_parser


def main() -> None:
    """Parse the command line, evaluate, write the record."""
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("--photos", type=at_least(1), default=100, help="test photos that are sampled (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="draws photos and subsets (default: 0)")
    options = parser.parse_args()
    bundle = load_bundle(options.bundle)
    bundle.require_unseen("test")
    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise BundleError(f"'{bundle.name}' has no gallery yet; `flowers build_gallery` makes it.")
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    learnt = np.isin(gallery.splits, bundle.training.splits)
    representers = representers_of(
        gallery.ids[learnt], gallery.labels[learnt], gallery.vectors(bundle.training.splits), bundle.head()[0]
    )
    predictions = load_predictions(bundle.path(predictions_file("test")), FORMAT)
    record = evaluate_representers(representers, predictions.logits, sampled=options.photos, seed=options.seed)
    BundleWriter.open(bundle.folder).add_json(REPRESENTERS_FILE, to_json(record))
    for name, value in vars(record).items():
        print(f"{name}: {value}")
    print(f"The fall is {record.times_random:.2f} times that without random photos of the class.")


if __name__ == "__main__":
    run(main)
