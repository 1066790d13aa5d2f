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

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.networks.backbones import backbone_named, build_backbone
from flowers_core.networks.classifier import build_classifier
from flowers_core.storage.paths import default_weights_dir
from flowers_core.training.augmentation import Augmentation
from flowers_core.training.optimizers import make_optimizer
from flowers_core.training.partition import partition_classifier
from flowers_core.training.recipe import Recipe
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


def photos_of(
    flowers: OxfordFlowers, split: str, size: int, batch_size: int, augmentation: Augmentation | None
) -> tf.data.Dataset:
    """Photos and labels of a split, decoded anew in each pass.

    With an augmentation they are shuffled and altered, by those of its kinds that Oxford's photos are mostly trained
    with.

    Args:
        flowers: the data set.
        split: "train" or "validation".
        size: of the input's side, in pixels.
        batch_size: photos in a batch.
        augmentation: None for photos as they are.

    Returns:
        Batches (n, size, size, 3) float32 in 0…255, and labels (n, classes).
    """
    ids = flowers.split_ids(split)
    paths = [str(flowers.path(int(photo_id))) for photo_id in ids]
    labels = keras.utils.to_categorical(flowers.labels[ids - 1] - 1, len(flowers.names))

    def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        photo = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return (_central(photo, size) if augmentation is None else _altered(photo, size, augmentation)), label

    data = tf.data.Dataset.from_tensor_slices((paths, labels))
    if augmentation is not None:
        data = data.shuffle(len(paths), seed=0)
    data = data.map(read, num_parallel_calls=tf.data.AUTOTUNE)
    data = data.batch(batch_size, drop_remainder=augmentation is not None)
    if augmentation is not None and augmentation.rotation:
        turn = keras.layers.RandomRotation(augmentation.rotation / 360, seed=0)
        data = data.map(lambda batch, label: (turn(batch, training=True), label), num_parallel_calls=tf.data.AUTOTUNE)
    return data.prefetch(tf.data.AUTOTUNE)


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
    flowers: OxfordFlowers, classifier: keras.Model, size: int, phases: Mapping[str, Recipe], epochs: int
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


def _central(photo: tf.Tensor, size: int) -> tf.Tensor:
    side = tf.reduce_min(tf.shape(photo)[:2])
    return tf.image.resize(tf.image.resize_with_crop_or_pad(photo, side, side), (size, size))


def _altered(photo: tf.Tensor, size: int, augmentation: Augmentation) -> tf.Tensor:
    if augmentation.crop_area is None:
        photo = _central(photo, size)
    else:
        begin, extent, _ = tf.image.sample_distorted_bounding_box(
            tf.shape(photo),
            tf.zeros((0, 0, 4)),
            area_range=augmentation.crop_area,
            aspect_ratio_range=(augmentation.crop_aspect, 1 / augmentation.crop_aspect),
            use_image_if_no_bounding_boxes=True,
        )
        photo = tf.image.resize(tf.slice(photo, begin, extent), (size, size))
        photo = tf.ensure_shape(photo, (size, size, 3))
    if augmentation.flip_share:
        photo = tf.image.random_flip_left_right(photo)
    for alter, (low, high) in (
        (tf.image.random_contrast, augmentation.contrast),
        (tf.image.random_saturation, augmentation.saturation),
    ):
        if low < high:
            photo = alter(photo, low, high)
    photo = photo * tf.random.uniform((), *augmentation.brightness)
    return tf.clip_by_value(photo, 0.0, 255.0)


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
    flowers, size = OxfordFlowers(options.data), options.size or backbone_named(options.backbone).size
    backbone = build_backbone(options.backbone, weights_dir=options.weights, size=size)
    classifier = build_classifier(backbone, len(flowers.names), dropout=options.dropout)
    ready = time.time()
    found = time_phases(flowers, classifier, size, phases, options.timed_epochs)
    seconds = {name: [asdict(epoch) for epoch in epochs] for name, epochs in found.items()}
    print(json.dumps({"ready_at": ready, "phases": seconds}))


if __name__ == "__main__":
    main()
