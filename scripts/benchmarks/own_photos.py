"""Compare `flowers train --photos` with a linear probe and with fine-tuning by Keras' guide.

    flowers benchmarks own_photos train --data photos/garden --name garden
    flowers benchmarks own_photos probe --data photos/garden --name garden
    flowers benchmarks own_photos keras --data photos/garden --name garden

Each line trains one model in one way, answers the test photos, and keeps what it found in the models folder, for
`results.md`; a line can be run again by itself. Keras is given the seconds of the processor that `train` took, so
`train` comes first. `--classes` takes some of the classes of a data set.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.dataset import Dataset, DatasetError
from flowers_core.data.model_input import CropRule
from flowers_core.data.open_dataset import open_dataset
from flowers_core.inference.commands import Command
from flowers_core.reports.own_photos import (
    METHODS,
    OwnPhotosError,
    TrainedOnPhotos,
    keep_own_photos,
    load_own_photos,
    own_photos_table,
)
from flowers_core.storage.paths import default_models_dir, default_weights_dir
from scripts.options.command import add_data_option, at_least, progress, run, verb_parser


def main() -> None:
    """Parse the command line, train, answer the test photos, keep what was found."""
    options = _parse()
    flowers = some_classes(open_dataset(options.data), options.classes)
    known = load_own_photos(options.models).get(options.name, {})
    if options.method == "keras" and "train" not in known:
        raise OwnPhotosError(f"How long Keras may take is not known: run `train` on '{options.name}' first.")
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    begun = time.process_time()
    answer = _trained(options, flowers, known["train"].cpu_seconds if options.method == "keras" else 0)
    took = time.process_time() - begun
    ids = flowers.split_ids("test")
    columns = np.concatenate([answer(ids[start : start + 32]) for start in range(0, len(ids), 32)])
    labels = flowers.labels_of(ids)
    right = columns == labels - 1
    found = TrainedOnPhotos(
        classes=len(flowers.names),
        training_photos=len(flowers.split_ids("train")),
        cpu_seconds=round(took, 1),
        right="".join("1" if each else "0" for each in right),
        balanced_accuracy=float(np.mean([right[labels == label].mean() for label in np.unique(labels)])),
    )
    keep_own_photos(options.name, options.method, found, options.models)
    print(own_photos_table({options.name: load_own_photos(options.models)[options.name]}))


def some_classes(flowers: Dataset, names: Sequence[str]) -> Dataset:
    """The data set with some of its classes alone; all where none is named. Raises DatasetError for an unknown one."""
    unknown = sorted(set(names) - set(flowers.names))
    if unknown:
        raise DatasetError(f"The data set has no class '{unknown[0]}'; there are {', '.join(flowers.names)}.")
    left_out = [label for label, name in enumerate(flowers.names, 1) if names and name not in names]
    return flowers.leaving_out(left_out) if left_out else flowers


def _trained(options: argparse.Namespace, flowers: Dataset, seconds: float) -> Any:
    """Train by the method, and return what names photos by their ids: (n,) ids → (n,) columns."""
    from flowers_core.data.batches import inputs
    from flowers_core.networks.backbones import build_backbone
    from flowers_core.networks.classifier import build_classifier
    from flowers_core.networks.compiled import compiled
    from flowers_core.training.recipes import own_photos
    from flowers_core.training.run import Plan, fine_tuned, probed
    from scripts.benchmarks.plain_guide import trained_as_the_guide_does

    backbone = build_backbone("efficientnet_lite0", weights_dir=options.weights, size=options.size)
    rule, classes = CropRule(options.size), len(flowers.names)
    if options.method == "keras":
        return trained_as_the_guide_does(flowers, backbone, options.size, seconds, options.seed)
    recipe = None
    if options.method == "train":
        recipe = own_photos(len(flowers.split_ids("train")), len(backbone.layers), options.seed)
    classifier = build_classifier(backbone, classes, dropout=recipe.dropout if recipe else 0.0)
    command = Command("scripts.benchmarks.own_photos")
    if recipe is None:
        probed(classifier, flowers, rule, command, track=progress)
    else:
        with TemporaryDirectory(prefix="flowers-own-photos-") as folder:
            plan = Plan(recipe, None, [], None, Path(folder) / "run", Path(folder) / "cache", None)
            fine_tuned(classifier, flowers, rule, plan, command)
    predict = compiled(classifier)

    def answer(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        return predict(inputs(flowers, ids, rule)).argmax(axis=1)

    return answer


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("method", choices=METHODS, help="how to train")
    add_data_option(parser)
    parser.add_argument("--name", required=True, help="what the photos are called in the record")
    parser.add_argument("--classes", nargs="+", default=[], metavar="CLASS", help="take these classes alone")
    parser.add_argument("--size", type=at_least(32), default=224, help="side of the input (default: 224)")
    parser.add_argument("--seed", type=int, default=0, help="of everything drawn at random (default: 0)")
    parser.add_argument("--weights", type=Path, default=default_weights_dir(), metavar="DIR", help="ImageNet weights")
    parser.add_argument("--models", type=Path, default=default_models_dir(), metavar="DIR", help="of the record")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
