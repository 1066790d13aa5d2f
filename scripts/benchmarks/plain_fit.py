"""`model.fit` as it is mostly written, for `flowers benchmarks training` to compare with: a process of its own.

Each epoch decodes every JPEG by tf.data, augments it, and sends it through the whole network, of which the same layers
learn as in our run. Prints one line of JSON: seconds of an epoch of each phase, training and validation apart.
"""

import argparse
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from flowers_core.data.dataset import Dataset
from flowers_core.data.open_dataset import open_dataset
from flowers_core.networks.backbones import backbone_named, build_backbone
from flowers_core.networks.classifier import build_classifier
from flowers_core.storage.paths import default_weights_dir
from flowers_core.training.optimizers import make_optimizer
from flowers_core.training.partition import partition_classifier
from flowers_core.training.recipe import Recipe
from scripts.benchmarks.plain_photos import photos_of
from scripts.options.command import add_data_option
from scripts.options.recipe import add_recipe_options, head_recipe_of, parse_with_recipe, recipe_of

_WARM_UP = 2  # batches, in which TensorFlow traces


@dataclass(frozen=True)
class PlainEpoch:
    """Seconds of one epoch.

    Attributes:
        training: over the training photos.
        validation: over the validation photos after it.
    """

    training: float
    validation: float


def time_epochs(
    classifier: keras.Model, recipe: Recipe, train: tf.data.Dataset, validation: tf.data.Dataset, epochs: int
) -> list[PlainEpoch]:
    """Train a classifier, compiled anew, after a warm-up, and time each epoch.

    Args:
        classifier: the network.
        recipe: of the optimizer and the loss.
        train: as `photos_of` gives them.
        validation: likewise.
        epochs: how many to train.
    """
    steps = epochs * math.ceil(train.cardinality().numpy())
    classifier.compile(
        make_optimizer(recipe, steps),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
    )
    classifier.fit(train.take(_WARM_UP), validation_data=validation.take(1), shuffle=False, verbose=0)
    clock = _Clock()
    classifier.fit(train, epochs=epochs, validation_data=validation, callbacks=[clock], shuffle=False, verbose=0)
    return clock.epochs


def time_phases(
    flowers: Dataset, classifier: keras.Model, size: int, phases: Mapping[str, Recipe], epochs: int
) -> dict[str, list[PlainEpoch]]:
    """Time each phase of a training, with the layers unfrozen that its recipe unfreezes.

    Args:
        flowers: the data set.
        classifier: the network.
        size: of the input's side, in pixels.
        phases: the recipes, by name.
        epochs: of each phase.

    Returns:
        The epochs of each phase, by name.
    """
    found = {}
    for name, recipe in phases.items():
        partition_classifier(classifier, recipe.unfrozen_layers, train_depthwise=recipe.train_depthwise)
        train = photos_of(flowers, "train", size, recipe.batch_size, recipe.augmentation)
        validation = photos_of(flowers, "validation", size, recipe.batch_size, None)
        found[name] = time_epochs(classifier, recipe, train, validation, epochs)
    return found


class _Clock(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[PlainEpoch] = []

    def on_epoch_begin(self, *_: Any) -> None:
        self.begun = time.perf_counter()

    def on_test_begin(self, *_: Any) -> None:
        self.trained = time.perf_counter()

    def on_epoch_end(self, *_: Any) -> None:
        self.epochs.append(PlainEpoch(self.trained - self.begun, time.perf_counter() - self.trained))


def main() -> None:
    """Parse the command line, time the epochs, print them."""
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmarks.plain_fit", description=__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--size", type=int)
    parser.add_argument("--fine-tune", type=int, default=0)
    parser.add_argument("--weights", type=Path, default=default_weights_dir())
    parser.add_argument("--timed-epochs", type=int, default=1)
    add_data_option(parser)
    add_recipe_options(parser)
    options = parse_with_recipe(parser)
    phases = {"tail": recipe_of(options, options.fine_tune)}
    if head := head_recipe_of(options):
        phases = {"head": head} | phases
    flowers, size = open_dataset(options.data), options.size or backbone_named(options.backbone).size
    backbone = build_backbone(options.backbone, weights_dir=options.weights, size=size)
    classifier = build_classifier(backbone, len(flowers.names), dropout=options.dropout)
    ready = time.time()
    found = time_phases(flowers, classifier, size, phases, options.timed_epochs)
    seconds = {name: [asdict(epoch) for epoch in epochs] for name, epochs in found.items()}
    print(json.dumps({"ready_at": ready, "phases": seconds}))


if __name__ == "__main__":
    main()
