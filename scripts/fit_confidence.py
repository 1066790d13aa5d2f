"""Fit how sure a bundle is of its answers and what shows none of its flowers; then measure it.

    flowers fit_confidence efficientnet_lite0_small
    flowers fit_confidence efficientnet_lite0_joined --counterpart efficientnet_lite0_1020_joined
    flowers fit_confidence efficientnet_lite0_small --measure

The rules are fitted to validation photos, clean and corrupted, and to pictures without a flower, as the INT8 model
answers them: drawn pictures, crops of sample pictures, and those of the external photos that are for fitting, where
they are there (`flowers study download_external`). How right the rules are about photos that they were not fitted to is
told by two halves of these, each judged by rules fitted to the other; a model that held out one half of the test photos
is also measured by the external photos without a flower that are for measuring. A model that has learnt from the
validation photos takes its rules from its counterpart, the same recipe on fewer photos. `--measure` fits nothing: it
reads the test photos, and the external photos without a flower that are for measuring, and records the figures for
`results.md`.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from flowers_core.data.dataset import Dataset
from flowers_core.evaluation.confidence_cross_fit import cross_fitted_figures
from flowers_core.evaluation.confidence_fit import (
    ConfidenceError,
    fit_confidence,
    fit_novelty,
    fit_sets,
    transferred,
)
from flowers_core.evaluation.confidence_photos import ConfidencePhotos
from flowers_core.evaluation.confidence_report import Rules, confidence_figures, novelty_figures
from flowers_core.evaluation.evidence import Observed
from flowers_core.evaluation.looks_fit import fit_looks
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.confidence import DISCRIMINANT_FILE, discriminant_space
from flowers_core.inference.confidence_head import ConfidenceHead
from flowers_core.inference.discriminant import fit_discriminant_space
from flowers_core.inference.looks_rule import looks_rule
from flowers_core.inference.records.confidence import ConfidenceRecord, ConfidenceSource, NoveltyFigures
from scripts.options.command import (
    add_bundle_argument,
    add_data_option,
    add_external_option,
    at_least,
    bundle_folder,
    progress,
    run,
    verb_parser,
)

# The split that rules are fitted to, and the one that is read once, for the final figures.
_FITTED, _MEASURED = "validation", "test"
# Of each kind of drawn picture, and of each sample picture, for anybody's photos.
_FEW = 12


def main() -> None:
    """Parse the command line; fit and record the rules, or measure those that are recorded."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    if bundle.calibration is None:
        raise BundleError(f"'{bundle.name}' is not evaluated yet; `flowers evaluate {bundle.name}` does it.")
    photos = ConfidencePhotos(
        bundle, dataset_of(bundle, options.data), options.rounds, options.cache, progress, external=options.external
    )
    if options.measure:
        record = _measured(photos)
    else:
        if options.counterpart is None and not photos.photos_for_fitting():
            print(f"No photos without a flower for fitting are in {options.external}: the rules know drawings alone.")
        record = fitted(photos, options.counterpart, unknown=options.unknown)
    BundleWriter.open(bundle.folder).update(confidence=record)
    for split, found in record.figures.items():
        for kind, figures in found.items():
            print(f"{split}, {kind}: {figures}")
    for kind, against in record.novelty_figures.items():
        print(f"{kind}: {against}")


def keep_confidence(bundle: Bundle, flowers: Dataset, *, most: int, rounds: int) -> None:
    """Fit confidence to anybody's photos and keep it in the bundle.

    A model of a few flowers meets many that it does not know, so it also learns to tell these. How several looks make
    one answer is not fitted, which would take dozens of passes for each photo: the rule for all stands, and crops are
    not asked where the whole looks like none of the flowers. Where too few photos are named rightly, the bundle stays
    as it is, and a sentence says so.

    Args:
        bundle: evaluated, and it has not learnt from the validation photos.
        flowers: its photos.
        most: photos of each split that are looked at.
        rounds: corruptions of each corrupted photo.
    """
    photos = ConfidencePhotos(bundle, flowers, rounds, track=progress, most=most, drawn=_FEW)
    try:
        record = fitted(photos, unknown=True, looks=False)
    except ConfidenceError as error:
        BundleWriter.open(bundle.folder).remove_file(DISCRIMINANT_FILE)  # of no use without the rules
        print(f"{error} Its temperature alone says it.")
        return
    looks = replace(looks_rule(record.model.sure_from), asks_novel=False)
    BundleWriter.open(bundle.folder).update(confidence=replace(record, looks=looks))


def fitted(
    photos: ConfidencePhotos, counterpart: Path | None = None, *, unknown: bool = False, looks: bool = True
) -> ConfidenceRecord:
    """Fit the rules of a bundle's confidence; the space that they take is written into the bundle.

    Args:
        photos: of the bundle.
        counterpart: the folder of the bundle whose rules are taken over, where this one learnt the validation photos.
        unknown: also learn to tell flowers that the network does not know.
        looks: also fit how several looks make one answer.

    Raises:
        BundleError: the bundle has learnt from the validation photos and there is no counterpart, or that one has no
            rules.
    """
    bundle = photos.bundle
    learnt = bundle.training.fitted_splits
    if _FITTED in learnt and counterpart is None:
        raise BundleError(f"'{bundle.name}' has learnt from the {_FITTED} photos: name its counterpart, --counterpart.")
    training = photos.clean(*learnt)
    space = fit_discriminant_space(training.evidence.embeddings, training.labels, len(bundle.class_names))
    BundleWriter.open(bundle.folder).add_npz(DISCRIMINANT_FILE, compressed=True, **space.arrays())
    # As the bundle keeps it, in half precision: what is fitted is what is served.
    space = discriminant_space(load_bundle(bundle.folder))
    if counterpart is not None:
        other = load_bundle(counterpart)
        if other.manifest.confidence is None:
            raise BundleError(f"Fit '{other.name}' first: `flowers fit_confidence {other.name}`.")
        return transferred(other.manifest.confidence, other.name)
    clean, corrupted, others = photos.clean(_FITTED), photos.corrupted(_FITTED), photos.without_flower()
    model = fit_confidence(space, training, clean, corrupted, others, unknown=unknown)
    strangers = len(clean) if unknown and clean.surest_without is not None else 0
    record = ConfidenceRecord(
        model=model,
        novelty=fit_novelty(space, clean),
        sets=fit_sets(space, model, clean, corrupted),
        source=ConfidenceSource(_FITTED, len(clean), len(corrupted), len(others), unknown=strangers),
    )
    if not looks:
        return record
    temperature = bundle.require_calibration().temperature
    try:
        figures = cross_fitted_figures(
            space, training, clean, corrupted, others, temperature=temperature, unknown=unknown
        )
        record = replace(record, figures={_FITTED: figures})
    except ConfidenceError as error:
        print(f"How right these rules are is not told by halves of the photos: of one half, {error}")
    if bundle.training.held_out_half is not None:  # it has no other photos to be measured by
        record = replace(record, novelty_figures=_novelty(photos, record, clean, _FITTED))
    head = ConfidenceHead(record, space, *bundle.head())
    clean_ones, corrupted_ones, other_ones = photos.doubtful(_FITTED, head)
    if not clean_ones and not corrupted_ones:  # nothing in doubt says how to settle it
        return record
    return replace(record, looks=fit_looks(clean_ones, corrupted_ones, other_ones, least=model.sure_from))


def _measured(photos: ConfidencePhotos) -> ConfidenceRecord:
    bundle, record = photos.bundle, photos.bundle.manifest.confidence
    bundle.require_unseen(_MEASURED)
    if record is None:
        raise BundleError(f"There is nothing to measure yet: `flowers fit_confidence {bundle.name}` fits it.")
    clean, corrupted, rules = photos.clean(_MEASURED), photos.corrupted(_MEASURED), _rules(bundle, record)
    figures = {"clean": confidence_figures(rules, clean), "corrupted": confidence_figures(rules, corrupted)}
    novelty = _novelty(photos, record, clean, _MEASURED)
    return replace(record, figures={**record.figures, _MEASURED: figures}, novelty_figures=novelty)


def _novelty(
    photos: ConfidencePhotos, record: ConfidenceRecord, known: Observed, split: str
) -> dict[str, NoveltyFigures]:
    """The photos of flowers of a split against the external ones without a flower; empty where none are there."""
    others, bundle = photos.external_without_flower(), load_bundle(photos.bundle.folder)
    if others is None:
        return {}
    return {"external": novelty_figures(_rules(bundle, record), known, others, split, bundle.head()[0])}


def _rules(bundle: Bundle, record: ConfidenceRecord) -> Rules:
    temperature = bundle.require_calibration().temperature
    return Rules(discriminant_space(bundle), record.model, record.novelty, record.sets, temperature)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    add_external_option(parser)
    parser.add_argument("--counterpart", type=bundle_folder, metavar="BUNDLE", help="whose rules are taken over")
    parser.add_argument(
        "--unknown", action="store_true", help="also learn to tell flowers that it does not know, each class for one"
    )
    parser.add_argument("--measure", action="store_true", help="measure the recorded rules on the test photos")
    parser.add_argument(
        "--rounds", type=at_least(1), default=4, metavar="N", help="corruptions of each photo, of 14 (default: 4)"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep there what the model says of the photos")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
