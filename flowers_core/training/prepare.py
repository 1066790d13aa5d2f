"""The training data of a run: augmented views of a data set's photos, and the frozen layers' output for them."""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.data.dataset import Dataset
from flowers_core.data.model_input import CropRule
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle
from flowers_core.inference.prediction import log_softmax
from flowers_core.networks.classifier import EMBEDDING, load_classifier
from flowers_core.storage.files import write_atomically
from flowers_core.training.decoded_cache import open_decoded_cache
from flowers_core.training.examples import Examples, TrainingError
from flowers_core.training.feature_cache import (
    AugmentedViews,
    Progress,
    cache_name,
    cached_features,
    network_digest,
)
from flowers_core.training.forgetting import ImagenetHead, PretrainedAnswers, pretrained_logits
from flowers_core.training.partition import Partition, partition_classifier
from flowers_core.training.recipe import Recipe


def prepare(
    flowers: Dataset,
    classifier: keras.Model,
    rule: CropRule,
    recipe: Recipe,
    cache: Path,
    *,
    teachers: Sequence[Bundle] = (),
    imagenet_head: ImagenetHead | None = None,
    with_validation: bool = False,
    progress: Progress | None = None,
) -> tuple[Partition, Examples]:
    """Partition the classifier as the recipe says, and compute the frozen layers for every view of the training photos.

    Args:
        flowers: the data set; the run learns from "train" and validates on "validation".
        classifier: with the backbone's pretrained weights; its layers' `trainable` flags are set.
        rule: how a photo becomes its input.
        recipe: views, augmentation, unfrozen layers, seed.
        cache: where decoded photos and features are kept between runs; safe to delete.
        teachers: bundles to learn from; each sees the same views at its own size, and the target is their mean
            log-probability (the ensemble of Hinton et al. 2015, arXiv 1503.02531, averaged geometrically).
        imagenet_head: of the pretrained backbone, where the recipe learns without forgetting.
        with_validation: learn from the validation photos too, and validate on none.
        progress: called with (what, done, total).

    Returns:
        The partitioned classifier, and the examples of the run.

    Raises:
        TrainingError: the ImageNet head is of another network, or no layer but the head learns.
        PhotoError: a photo cannot be read; the message names the file.
    """
    train, validation = flowers.split_ids("train"), flowers.split_ids("validation")

    learnt = np.sort(np.concatenate([train, validation])) if with_validation else train

    def decoded(done: int, total: int) -> None:
        if progress is not None:
            progress("photos decoded", done, total)

    photos = open_decoded_cache(flowers, np.concatenate([train, validation]), cache, progress=decoded)
    partition = partition_classifier(classifier, recipe.unfrozen_layers, train_depthwise=recipe.train_depthwise)
    views = AugmentedViews(photos, learnt, recipe.augmentation, recipe.seed)
    held_out = AugmentedViews(photos, validation, recipe.augmentation, recipe.seed)

    def cached(
        what: str, network: keras.Model | None, at: CropRule, of: AugmentedViews, count: int
    ) -> NDArray[np.generic]:
        drawn = [] if count == 1 else [asdict(of.augmentation), of.seed]
        key = cache_name(flowers.fingerprint(), network_digest(network), at.to_json(), *drawn)
        return cached_features(network, at, of, count, cache, f"{what}-{key}", progress=progress)

    features = cached("views", partition.frozen, rule, views, recipe.views)
    answers = []
    for teacher in teachers:
        network = load_classifier(teacher.path(CLASSIFIER_FILE))
        logits = cached("teacher", network, teacher.crop_rule, views, recipe.views)
        answers.append(log_softmax(logits))

    def pretrained(head: ImagenetHead) -> NDArray[np.float16]:
        _check_head(head, classifier, partition)
        digest = network_digest(keras.Model(classifier.input, classifier.get_layer(EMBEDDING).output))
        kind = (digest, sha256(head.kernel.tobytes() + head.bias.tobytes()).hexdigest(), rule.to_json())
        seen = (learnt.tolist(), recipe.views, asdict(recipe.augmentation), recipe.seed)
        path = cache / f"imagenet-{cache_name(flowers.fingerprint(), *kind, *seen)}.npy"
        if not path.is_file():
            logits = pretrained_logits(classifier, partition, features, head)
            write_atomically(path, lambda beside: np.save(beside, logits, allow_pickle=False))
        return np.load(path, mmap_mode="r", allow_pickle=False)

    examples = Examples(
        features=features,
        labels=flowers.labels[learnt - 1] - 1,
        validation=None if with_validation else cached("validation", partition.frozen, rule, held_out, 1)[0],
        validation_labels=None if with_validation else flowers.labels[validation - 1] - 1,
        class_names=tuple(flowers.names),
        teacher=np.mean(answers, axis=0).astype(np.float32) if answers else None,
        pretrained=None if imagenet_head is None else PretrainedAnswers(pretrained(imagenet_head), imagenet_head),
    )
    return partition, examples


def _check_head(head: ImagenetHead, classifier: keras.Model, partition: Partition) -> None:
    channels = classifier.get_layer(EMBEDDING).output.shape[-1]
    if head.kernel.shape[0] != channels:
        raise TrainingError(
            f"The head to ImageNet reads {head.kernel.shape[0]} channels and this network has {channels}: "
            "it is another network's."
        )
    if partition.freeze_point == EMBEDDING:
        raise TrainingError("Where the head alone learns, no feature can be forgotten: leave out --lwf-weight.")
