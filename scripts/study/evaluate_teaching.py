"""Measure how well a bundle is taught a flower from a few photos.

    flowers study evaluate_teaching efficientnet_lite0_small
    flowers study evaluate_teaching efficientnet_lite0_small --imagenet
    flowers study evaluate_teaching efficientnet_lite0_small --split test

Twenty classes are left out of the head and taught again, one alone or five in a row, with 10 photos and with 3. Without
--split, validation photos are asked about and the lessons are given training photos: choose by these. --split test
reads the test photos once, for the table, and gives the lessons validation photos where the model has not learnt from
them. --imagenet asks the backbone before any training on flowers. The figures go into the bundle, for `results.md`.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowers_core.data.dataset import Dataset
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.bundle_dataset import dataset_of
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.manifest import Manifest
from flowers_core.inference.records.teaching import TeachingFigures
from flowers_core.lessons.study import evaluate_teaching
from flowers_core.storage.paths import default_weights_dir
from scripts.options.command import add_bundle_argument, add_data_option, progress, run, verb_parser


def main() -> None:
    """Parse the command line, teach, ask, print the figures and keep them in the bundle."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = dataset_of(bundle, options.data)
    lesson_split = "train" if options.split == "validation" or "validation" in bundle.fitted_splits else "validation"
    if options.imagenet:
        found = _before_training(bundle, flowers, options, lesson_split)
    else:
        found = evaluate_teaching(bundle, flowers, options.split, lesson_split=lesson_split, track=progress)
    for figures in found:
        print(figures)
    if not options.dry_run:
        measured = {(each.embeddings, each.split) for each in found}

        def change(held: Manifest) -> Mapping[str, Any]:
            others = (each for each in held.teaching if (each.embeddings, each.split) not in measured)
            return {"teaching": (*others, *found)}

        BundleWriter.open(bundle.folder).change(change)


def _before_training(
    bundle: Bundle, flowers: Dataset, options: argparse.Namespace, lesson_split: str
) -> tuple[TeachingFigures, ...]:
    """The same with the embeddings of the backbone's ImageNet weights and a linear probe on the training photos."""
    from flowers_core.lessons.study import drawn_classes, lesson_ids, measure, require_enough
    from flowers_core.networks import start_tensorflow
    from flowers_core.retrieval.teaching import Examples, Head

    require_enough(flowers, lesson_split)
    start_tensorflow()
    from flowers_core.data.batches import input_batches
    from flowers_core.networks.backbones import build_backbone
    from flowers_core.networks.classifier import build_classifier
    from flowers_core.training.linear_probe import embed, fit_probe

    classes = len(bundle.class_names)
    size = bundle.crop_rule.size
    network = build_classifier(
        build_backbone(bundle.manifest.backbone, weights_dir=options.weights, size=size), classes
    )
    split_ids = {name: flowers.split_ids(name) for name in dict.fromkeys(("train", lesson_split, options.split))}
    vectors = {
        name: embed(network, progress(input_batches(flowers, ids, bundle.crop_rule), f"{name} photos", len(ids) // 32))
        for name, ids in split_ids.items()
    }
    labels = {name: flowers.labels_of(ids) for name, ids in split_ids.items()}
    asked_for = "validation" if "validation" in vectors else "train"
    probe = fit_probe(vectors["train"], labels["train"], (vectors[asked_for], labels[asked_for]), classes=classes)
    given = lesson_ids(flowers, drawn_classes(flowers, 0), lesson_split, 0)
    row_of = {int(photo_id): row for row, photo_id in enumerate(split_ids[lesson_split])}
    return measure(
        Head(probe.W.astype(float), probe.b.astype(float)),
        Examples(vectors["train"].astype(float), labels["train"] - 1),
        {label: vectors[lesson_split][[row_of[int(each)] for each in ids]] for label, ids in given.items()},
        [(labels[options.split], vectors[options.split], None)],
        embeddings="imagenet",
        split=options.split,
        lesson_split=lesson_split,
    )


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--split", choices=("validation", "test"), default="validation", help="whose photos are asked")
    parser.add_argument("--imagenet", action="store_true", help="ask the backbone before any training on flowers")
    parser.add_argument("--weights", type=Path, default=default_weights_dir(), metavar="DIR", help="ImageNet weights")
    parser.add_argument("--dry-run", action="store_true", help="print only: write nothing into the bundle")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
