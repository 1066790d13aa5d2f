"""Teach a model a new flower from a few photos, or correct one that it mistakes.

    flowers teach efficientnet_lite0_small edelweiss photos/*.jpg
    flowers teach efficientnet_lite0_small_taught rose mistaken.jpg
    flowers teach efficientnet_lite0_small_taught --undo

Three to ten photos are enough. The first lesson makes a bundle NAME_taught beside the one named; later lessons, and
--undo, change that. What a lesson costs is told first: --dry-run stops there. TensorFlow is not needed.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from flowers_core.evaluation.calibration import fit_conformal_threshold
from flowers_core.evaluation.predictions import Predictions, load_predictions, save_predictions
from flowers_core.inference.bundle import Bundle, load_bundle, predictions_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.identify import photos_below
from flowers_core.inference.prediction import softmax
from flowers_core.retrieval.lesson_photos import answered_photos, embed, stored_photos
from flowers_core.retrieval.taught_model import (
    FORMAT,
    TAUGHT_FILE,
    TaughtModel,
    carried_logits,
    taught_model,
    write_taught,
)
from flowers_core.retrieval.teaching import Examples, Taught, cost
from scripts.options.command import add_bundle_argument, progress, run, verb_parser


def main() -> None:
    """Parse the command line, teach or undo, and write the taught bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    before = taught_model(bundle)
    after, taught = (before.undone(), None) if options.undo else _lesson(bundle, before, options)
    said, embeddings = None, None
    if bundle.has(predictions_file("validation")):
        said = load_predictions(bundle.path(predictions_file("validation")), FORMAT)
        embeddings = answered_photos(bundle, said.ids, said.logits, before.head)
        change = cost(before.head, after.head, Examples(embeddings, said.labels - 1))
        learnt = ", which the model has learnt from" if "validation" in bundle.fitted_splits else ""
        print(f"Of {len(said)} validation photos{learnt}: {len(change.gained)} gained, {len(change.lost)} lost.")
    if options.dry_run:
        return
    folder = options.bundle.parent / (bundle.name if bundle.has(TAUGHT_FILE) else f"{bundle.name}_taught")
    written = write_taught(bundle, after, folder)
    if said is not None and embeddings is not None:
        logits = carried_logits(said.logits, embeddings, before, after)
        _keep(BundleWriter.open(folder), replace(said, logits=logits.astype(np.float32)), taught)
    print(f"{folder}: {len(written.class_names)} classes, {len(after.lessons)} lessons.")


def _lesson(bundle: Bundle, before: TaughtModel, options: argparse.Namespace) -> tuple[TaughtModel, Taught]:
    digests, embeddings = embed(bundle, list(photos_below(options.photos)), track=progress)
    length = float(np.median(np.linalg.norm(embeddings, axis=1)))
    after, taught = before.learn(options.name, digests, embeddings, stored_photos(bundle, length))
    photos, name = len(after.lessons[-1].digests), after.lessons[-1].name
    print(f"{photos} photos of '{name}'; left out one by one, {taught.leave_one_out:.0%} of them are named rightly.")
    return after, taught


def _keep(writer: BundleWriter, said: Predictions, taught: Taught | None) -> None:
    """The new answers to validation photos, and the conformal threshold that follows where they were not learnt from.

    The temperature stays: it was fitted to corrupted photos too, which are not at hand.
    """
    writer.add_file(
        predictions_file("validation"),
        lambda path: save_predictions(path, said.ids, said.labels, {FORMAT: said.logits}),
    )
    calibration, training = writer.manifest.calibration, writer.manifest.training
    if calibration is None or training is None or "validation" in training.splits:
        return
    logits, labels = said.logits, said.labels
    if taught is not None:
        logits = np.concatenate([logits, taught.held_out])
        labels = np.append(labels, np.full(len(taught.held_out), taught.column + 1))
    told = softmax(logits, calibration.temperature)
    threshold = fit_conformal_threshold(told, labels, calibration.conformal_coverage)
    writer.update(calibration=replace(calibration, conformal_threshold=threshold))


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="the flower, new or known")
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="photos of it, or folders of them")
    parser.add_argument("--undo", action="store_true", help="instead, take back the last lesson")
    parser.add_argument("--dry-run", action="store_true", help="tell what the lesson would cost and keep nothing")
    options = parser.parse_args()
    if options.undo == bool(options.name):
        parser.error("give a NAME and PHOTOs, or --undo alone")
    if options.name and not options.photos:
        parser.error(f"give photos of '{options.name}', three to ten of them")
    return options


if __name__ == "__main__":
    run(main)
