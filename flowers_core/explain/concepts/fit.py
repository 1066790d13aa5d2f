"""Fit the concepts of a bundle: its feature maps of the training photos, and the dictionary that they are made of.

A factorization has many solutions, and from a random beginning another seed finds other concepts. So it begins with
what speaks for each class, the mean of its training photos' positions weighted by their evidence, and with a few
concepts of positions that speak for no class. A few iterations then sort out what classes have in common.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from flowers_core.data.batches import input_batches, stratified_sample
from flowers_core.data.dataset import Dataset
from flowers_core.data.progress import Track, untracked
from flowers_core.explain.concepts.concepts import Concepts, describe_concepts
from flowers_core.explain.concepts.dictionary import (
    ConceptDictionary,
    fit_dictionary,
    head_readout,
    refine_dictionary,
)
from flowers_core.explain.explanation import FloatArray
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.runtime import open_runtime

#: The numeric format whose feature maps are factorized: the one that answers on the pages.
FORMAT = "int8"
#: Positions of each photo that all concepts are fitted to; iterations from their beginning.
POSITIONS, ITERATIONS = 24, 5
#: Training photos whose maps are held at once, some 164 kB each.
MOST_PHOTOS = 5000
_SPLIT, _BATCH = "train", 32


def general_concepts(head: FloatArray) -> int:
    """How many concepts stand beside those that begin as a class: two for five classes, ten at least if channels allow.

    On validation photos of 102 classes, the answers through 40 have 98.6 % of the network's accuracy, through 10 have
    96.9 %; 100 gain nothing more.

    Args:
        head: (c, classes), the linear layer's weights.
    """
    channels, classes = head.shape
    return min(max(10, 2 * classes // 5), channels)


@dataclass(frozen=True, eq=False)
class TrainingMaps:
    """The feature maps of the training photos.

    Attributes:
        maps: (n, h, w, c) float16.
        ids: (n,) int64, of the photos.
        labels: (n,) int64, from 1.
    """

    maps: npt.NDArray[np.float16]
    ids: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]

    def drawn(self, seed: int, positions: int = POSITIONS) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Positions drawn from each photo.

        Args:
            seed: draws them.
            positions: of each photo; all where it has fewer.

        Returns:
            Their feature vectors, (n · positions, c), and their photos' labels, (n · positions,).
        """
        flat = self.maps.reshape(len(self.maps), -1, self.maps.shape[-1])
        generator = np.random.default_rng(seed)
        positions = min(positions, flat.shape[1])
        chosen = [generator.choice(flat.shape[1], positions, replace=False) for _ in flat]
        vectors = np.concatenate([one[rows] for one, rows in zip(flat, chosen, strict=True)]).astype(np.float32)
        return vectors, np.repeat(self.labels, positions)


def training_maps(bundle: Bundle, dataset: Dataset, *, track: Track = untracked) -> TrainingMaps:
    """Run a bundle's model on the training photos, on a sample of them where they are more than `MOST_PHOTOS`.

    Args:
        bundle: with an INT8 model.
        dataset: the photos.
        track: shows progress over the batches.
    """
    runtime = open_runtime(bundle, FORMAT)
    ids = stratified_sample(dataset, _SPLIT, MOST_PHOTOS, seed=0)
    batches = input_batches(dataset, ids, bundle.crop_rule, batch_size=_BATCH)
    maps = [
        runtime.features(batch).astype(np.float16) for batch in track(batches, "feature maps", -(-len(ids) // _BATCH))
    ]
    return TrainingMaps(np.concatenate(maps), ids, dataset.labels_of(ids))


def fit_seed(training: TrainingMaps, head: FloatArray, general: int, seed: int) -> ConceptDictionary:
    """A dictionary fitted to positions that the seed draws.

    Args:
        training: the feature maps.
        head: (c, classes), the linear layer's weights.
        general: concepts beside those that begin as a class, ≥ 1.
        seed: draws the positions, and begins the general ones.
    """
    vectors, labels = training.drawn(seed)
    return refine_dictionary(beginning(vectors, labels, head, general, seed), vectors, iterations=ITERATIONS)


def beginning(
    vectors: FloatArray, labels: npt.NDArray[np.int64], head: FloatArray, general: int, seed: int
) -> ConceptDictionary:
    """What speaks for each class, and concepts of the half of all positions that speaks least.

    Args:
        vectors: (n, c), of positions.
        labels: (n,), their photos', from 1.
        head: (c, classes), the linear layer's weights.
        general: concepts of positions that speak for no class, ≥ 1.
        seed: begins them.

    Returns:
        A concept for each class that has evidence, and up to `general` more.
    """
    evidence = np.maximum(np.einsum("nc,nc->n", vectors, head_readout(head, 1.0).T[labels - 1]), 0)
    means = np.stack([evidence[labels == label] @ vectors[labels == label] for label in np.unique(labels)])
    means = means[means.any(axis=1)]
    least = np.argsort(evidence, kind="stable")[: len(evidence) // 2]
    rest = fit_dictionary(vectors[least], general, seed=seed, iterations=ITERATIONS)
    return ConceptDictionary(np.concatenate([means / np.linalg.norm(means, axis=1, keepdims=True), rest.concepts]))


def fit_concepts(training: TrainingMaps, head: FloatArray, *, general: int | None = None, seed: int = 0) -> Concepts:
    """The concepts of a model. What its head reads counts as much in their distance as all channels together.

    Args:
        training: the feature maps.
        head: (c, classes), the linear layer's weights.
        general: as for `fit_seed`; None takes `general_concepts`.
        seed: as for `fit_seed`.
    """
    if general is None:
        general = general_concepts(head)
    vectors, _ = training.drawn(seed)
    weight = float(np.linalg.norm(vectors) / np.linalg.norm(vectors @ head_readout(head, 1.0)))
    dictionary = replace(fit_seed(training, head, general, seed), readout=head_readout(head, weight))
    return describe_concepts(
        dictionary, training.maps, training.ids, training.labels, head.shape[1], readout_weight=weight
    )
