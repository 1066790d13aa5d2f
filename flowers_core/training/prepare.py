"""From a data set and a recipe to what a run learns from: views drawn, and the frozen layers computed once."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import Bundle
from flowers_core.networks.classifier import load_classifier
from flowers_core.training.decoded_cache import open_decoded_cache
from flowers_core.training.examples import Examples
from flowers_core.training.feature_cache import (
    AugmentedViews,
    Progress,
    cache_name,
    cached_features,
    network_digest,
)
from flowers_core.training.partition import Partition, partition_classifier
from flowers_core.training.recipe import Recipe


def prepare(
    flowers: OxfordFlowers,
    classifier: keras.Model,
    rule: CropRule,
    recipe: Recipe,
    cache: Path,
    *,
    teachers: Sequence[Bundle] = (),
    with_validation: bool = False,
    progress: Progress | None = None,
) -> tuple[Partition, Examples]:
    """Partition the classifier as the recipe says, and compute the frozen layers for every view of the training photos.

    Args:
        flowers: the data set; the run learns from "train", and "validation" validates unless it is learnt from too.
        classifier: with the backbone's pretrained weights; which of its layers learn is set here.
        rule: how a photo becomes its input.
        recipe: views, augmentation, unfrozen layers, seed.
        cache: where decoded photos and features are kept between runs; safe to delete.
        teachers: bundles to learn from; each sees the same views at its own size, and the target is their mean
            log-probability (the ensemble of Hinton et al. 2015, arXiv 1503.02531, averaged geometrically).
        with_validation: learn from the validation photos too; then nothing is left to validate with.
        progress: called with (what, done, in all).

    Returns:
        The partitioned classifier, and what the run learns from.

    Raises:
        PhotoError: for a photo that cannot be read; it names the file.
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
        kind = [] if count == 1 else [asdict(of.augmentation), of.seed]
        seen = (flowers.fingerprint(), network_digest(network), at.to_json(), of.photo_ids.tolist(), count)
        key = cache_name(*seen, *kind)
        return cached_features(network, at, of, count, cache / f"{what}-{key}.npy", progress=progress)

    features = cached("views", partition.frozen, rule, views, recipe.views)
    answers = []
    for teacher in teachers:
        network = load_classifier(teacher.path("classifier.keras"))
        logits = cached("teacher", network, teacher.crop_rule, views, recipe.views)
        answers.append(_log_softmax(np.asarray(logits, np.float64)))
    examples = Examples(
        features=features,
        labels=flowers.labels[learnt - 1] - 1,
        validation=None if with_validation else cached("validation", partition.frozen, rule, held_out, 1)[0],
        validation_labels=None if with_validation else flowers.labels[validation - 1] - 1,
        class_names=tuple(flowers.names),
        teacher=np.mean(answers, axis=0).astype(np.float32) if answers else None,
    )
    return partition, examples


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
