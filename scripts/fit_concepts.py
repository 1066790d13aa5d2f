"""Fit a bundle's concepts: the patterns that its feature maps are made of.

    flowers fit_concepts efficientnet_lite0_joined
    flowers fit_concepts efficientnet_lite0_joined --measure

The feature maps of the training photos are factorized, and the bundle keeps the concepts, how much of each a class has,
and the photos where each is typical. `--measure` fits a second time with another seed, to see how many concepts come
back, and looks at test photos; it keeps the figures for `results.md`.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from flowers_core.data.batches import input_batches, stratified_sample
from flowers_core.data.dataset import Dataset
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, Concepts, load_concepts
from flowers_core.explain.concepts.evaluation import OnPhoto, concept_record, look_at
from flowers_core.explain.concepts.fit import FORMAT, fit_concepts, fit_seed, general_concepts, training_maps
from flowers_core.explain.feature_visualization.pictures import CONCEPT_PICTURES_FILE
from flowers_core.explain.records.concepts import CONCEPT_RECORD_FILE
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.runtime import open_runtime
from flowers_core.storage.typed_json import to_json
from scripts.options.command import add_bundle_argument, add_data_option, at_least, progress, run, verb_parser


def main() -> None:
    """Parse the command line; fit and keep the concepts, or measure those that are kept."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = dataset_of(bundle, options.data)
    if options.measure:
        _measure(bundle, flowers, options)
        return
    keep_concepts(bundle, flowers, options.general, options.seed)


def keep_concepts(bundle: Bundle, flowers: Dataset, general: int | None = None, seed: int = 0) -> None:
    """Fit concepts to the training photos, and keep them in the bundle. Pictures of other concepts leave it.

    Args:
        bundle: with an INT8 model.
        flowers: the photos.
        general: concepts beside those that begin as a class, ≥ 1; None takes what `general_concepts` says.
        seed: draws positions, and begins the general concepts.
    """
    training = training_maps(bundle, flowers, track=progress)
    concepts = fit_concepts(training, bundle.head()[0], general=general, seed=seed)
    writer = BundleWriter.open(bundle.folder)
    writer.add_npz(CONCEPTS_FILE, compressed=True, **concepts.arrays())
    kept = writer.manifest.files[CONCEPTS_FILE]
    photos, size = len(training.ids), kept.bytes / 1e3
    print(f"{len(concepts)} concepts of {photos} training photos, {size:.0f} kB in {bundle.folder}.")
    if bundle.has(CONCEPT_PICTURES_FILE) and bundle.digest(CONCEPTS_FILE) != kept.sha256:
        writer.remove_file(CONCEPT_PICTURES_FILE)
        makes = f"`flowers visualize_features {bundle.name} --concepts` makes new ones"
        print(f"The pictures were of other concepts; {makes}.")


def _measure(bundle: Bundle, flowers: Dataset, options: argparse.Namespace) -> None:
    bundle.require_unseen("test")
    if not bundle.has(CONCEPTS_FILE):
        raise BundleError(f"'{bundle.name}' has no concepts yet; `flowers fit_concepts {bundle.name}` fits them.")
    concepts = load_concepts(bundle.path(CONCEPTS_FILE), bundle.head()[0])
    found = list(_on_test_photos(bundle, flowers, concepts, options.photos, options.seed))
    training, head = training_maps(bundle, flowers, track=progress), bundle.head()[0]
    general = options.general or general_concepts(head)
    another = fit_seed(training, head, general, options.seed + 1)
    record = concept_record(found, concepts.dictionary, another, options.seed)
    BundleWriter.open(bundle.folder).add_json(CONCEPT_RECORD_FILE, to_json(record))
    for name, value in vars(record).items():
        print(f"{name}: {value}")


def _on_test_photos(
    bundle: Bundle, flowers: Dataset, concepts: Concepts, count: int, seed: int
) -> Iterator[tuple[int, OnPhoto]]:
    runtime, (head, bias) = open_runtime(bundle, FORMAT), bundle.head()
    ids = stratified_sample(flowers, "test", count, seed)
    batches = input_batches(flowers, ids, bundle.crop_rule)
    maps = (features for batch in batches for features in runtime.features(batch))
    for photo_id, features in zip(ids, progress(maps, "test photos", len(ids)), strict=True):
        yield flowers.label_of(int(photo_id)), look_at(features.astype(np.float64), concepts, head, bias)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument(
        "--general",
        type=at_least(1),
        metavar="N",
        help="concepts beside those that begin as a class (default: two for five classes, ten at least)",
    )
    parser.add_argument("--measure", action="store_true", help="measure the concepts that the bundle has")
    parser.add_argument("--photos", type=at_least(1), default=1020, help="test photos to measure on (default: 1020)")
    parser.add_argument("--seed", type=int, default=0, help="draws positions and photos (default: 0)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
