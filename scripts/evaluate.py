"""Evaluate a bundle's models on the official splits, or on photos of your own.

    flowers evaluate efficientnet_lite0_joined

Every model answers every validation and test photo once. The bundle keeps the answers, and each figure is computed from
them. Temperature and thresholds come from the validation photos, clean and corrupted, as the INT8 model answers them.

Each figure is given for all photos, without those whose file is in another split as well, and without near-duplicates
of photos in another split, as an audit found them (`flowers audit_data --bundle`). `--from-saved` makes the figures
anew from the answers that the bundle keeps, after an audit for one, and runs no model.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from flowers_core.data.dataset import Dataset
from flowers_core.evaluation.custom import evaluate_folder, evaluation_folder
from flowers_core.evaluation.official import (
    HELD_OUT,
    audit_of,
    calibrate,
    official_metrics,
    record_predictions,
    record_robustness,
)
from flowers_core.evaluation.predictions import stored_precisions
from flowers_core.evaluation.robustness import MAX_PHOTOS, evaluate_robustness
from flowers_core.inference.bundle import PRECISIONS, Bundle, BundleError, load_bundle, predictions_file
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.storage.paths import default_models_dir
from scripts.options.command import add_bundle_argument, add_data_option, progress, run, verb_parser
from scripts.options.figures import print_robustness, print_table


def main() -> None:
    """Parse the command line, run the models, write predictions and figures into the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    if not bundle.precisions and not options.from_saved:
        raise BundleError(f"'{bundle.name}' has no TFLite models yet; `flowers quantize` makes them.")
    if options.photos:
        _evaluate_folder(bundle, options.photos, options.out)
        return
    if not options.validation_only:
        bundle.require_unseen(options.corruptions or "test")
    flowers = dataset_of(bundle, options.data)
    if options.from_saved:
        saved = set(stored_precisions(bundle.path(predictions_file("test"))))
        _write_metrics(bundle, flowers, [name for name in PRECISIONS if name in saved], HELD_OUT)
        return
    if options.corruptions:
        found = evaluate_robustness(bundle, flowers, options.corruptions, cache=options.cache, track=progress)
        record_robustness(BundleWriter.open(options.bundle), options.corruptions, found)
        print_robustness(options.corruptions, found)
        return
    evaluate(bundle, flowers, HELD_OUT[:1] if options.validation_only else HELD_OUT, options.cache)


def evaluate(
    bundle: Bundle,
    flowers: Dataset,
    splits: Sequence[str] = HELD_OUT,
    cache: Path | None = None,
    most: int = MAX_PHOTOS,
) -> None:
    """Run every model on the splits, calibrate, and write predictions and figures into the bundle.

    Args:
        bundle: with TFLite models.
        flowers: the photos.
        splits: validation, or validation and test.
        cache: keeps the corrupted photos for the next model.
        most: validation photos that are looked at under corruptions too, at most.
    """
    writer = BundleWriter.open(bundle.folder)
    for split in splits:
        record_predictions(bundle, writer, flowers, split, track=progress)
    print_robustness("validation", calibrate(bundle, writer, flowers, most=most, cache=cache, track=progress))
    _write_metrics(bundle, flowers, bundle.precisions, splits)


def _write_metrics(bundle: Bundle, flowers: Dataset, formats: Sequence[str], splits: Sequence[str]) -> None:
    audit = audit_of(flowers, bundle, default_models_dir())
    if audit is None:
        print(
            "There is no audit of these photos, so no figures without near-duplicates: "
            f"`flowers audit_data OUT --bundle {bundle.name}`, then this verb again with --from-saved."
        )
    metrics = official_metrics(bundle.folder, flowers, formats, splits, audit)
    BundleWriter.open(bundle.folder).update(metrics=metrics)
    print_table({(name, split): figures for name, found in metrics.items() for split, figures in found.items()})


def _evaluate_folder(bundle: Bundle, folder: Path, out: Path | None) -> None:
    out = out or evaluation_folder(folder, bundle.name)
    found = evaluate_folder(bundle, folder, out, left_out=lambda error: print(f"Left out: {error}"), track=progress)
    print_table({(name, "photos"): figures for name, figures in found.items()})
    print(f"Wrote {out}.")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="instead, your own photos: a folder for each class")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where their figures go (default: evaluations/…)")
    corrupted = "instead, a split's photos corrupted: validation for choices, test for the final table"
    parser.add_argument("--corruptions", choices=HELD_OUT, metavar="SPLIT", help=corrupted)
    parser.add_argument("--from-saved", action="store_true", help="make the figures anew from the saved answers")
    parser.add_argument("--validation-only", action="store_true", help="leave the test photos alone")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the corrupted photos there for the next model")
    options = parser.parse_args()
    if options.out and not options.photos:
        parser.error("--out goes with --photos: the official figures are kept in the bundle")
    return options


if __name__ == "__main__":
    run(main)
