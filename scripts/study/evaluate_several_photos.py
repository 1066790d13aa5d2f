"""Measure what several photos of one plant give: test photos of a class, dealt in threes.

    flowers study evaluate_several_photos efficientnet_lite0_joined

Clean photos are answered from the predictions that the bundle keeps, in seconds. With --corrupted the INT8 model also
answers ten photos a class under one corruption each, which takes some minutes (--cache keeps the answers). The figures
go into the bundle, for `results.md`. Target: half of the error of one photo.
"""

import argparse
from pathlib import Path

import numpy as np

from flowers_core.evaluation.confidence_photos import ConfidencePhotos
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.evaluation.several_photos import several_photos_figures
from flowers_core.inference.bundle import Bundle, load_bundle, predictions_file
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.several_photos import SeveralPhotosFigures, SeveralPhotosMetrics
from scripts.options.command import add_bundle_argument, add_data_option, at_least, progress, run, verb_parser

_FORMAT, _SEED, _ROUNDS = "int8", 0, 5


def main() -> None:
    """Parse the command line, deal the photos into plants, print the figures and keep them in the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    bundle.require_unseen(options.split)
    clean = load_predictions(bundle.path(predictions_file(options.split)), _FORMAT)
    kinds = {"clean": _figures(bundle, clean.logits, clean.labels, options.photos)}
    if options.corrupted:
        photos = ConfidencePhotos(bundle, dataset_of(bundle, options.data), 1, options.cache, progress)
        seen = photos.corrupted(options.split)
        kinds["corrupted"] = _figures(bundle, seen.evidence.logits, seen.labels, options.photos)
    for kind, found in kinds.items():
        print(f"{kind}: {found}")
    if not options.dry_run:
        record = SeveralPhotosMetrics(_FORMAT, options.split, options.photos, _ROUNDS, _SEED, kinds)
        BundleWriter.open(bundle.folder).update(several_photos=record)


def _figures(bundle: Bundle, logits: np.ndarray, labels: np.ndarray, photos: int) -> SeveralPhotosFigures:
    calibration = bundle.require_calibration()
    return several_photos_figures(logits, labels, calibration, photos=photos, rounds=_ROUNDS, seed=_SEED)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--split", choices=("validation", "test"), default="test", help="default: test")
    parser.add_argument("--photos", type=at_least(2), default=3, help="of each plant (default: 3)")
    parser.add_argument("--corrupted", action="store_true", help="also measure corrupted photos")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep there what the model says of the photos")
    parser.add_argument("--dry-run", action="store_true", help="print only: write nothing into the bundle")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
