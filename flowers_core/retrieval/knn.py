"""k-NN agreement: a second prediction from the nearest training photos, with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.batches import by_turns
from flowers_core.inference.prediction import Candidate
from flowers_core.inference.records.gallery import KnnRule
from flowers_core.retrieval.neighbour import Neighbour

#: The candidates for a rule's k and floor, and the range of its temperature.
COUNTS = (1, 3, 5, 10, 20, 40)
FLOORS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
TEMPERATURE_RANGE = (0.005, 1.0)
#: Photos that a rule is fitted to, at most.
MOST = 2500

_BLOCK = 256


@dataclass(frozen=True)
class KnnPrediction:
    """The prediction of the neighbours.

    Attributes:
        candidates: the neighbours' classes, most probable first, ties by label. Their probabilities and those of all
            other classes sum to 1.
        neighbours: how many were used.
    """

    candidates: tuple[Candidate, ...]
    neighbours: int

    @property
    def label(self) -> int:
        """The class that the neighbours favour."""
        return self.candidates[0].label

    @property
    def probability(self) -> float:
        """The probability of that class, in (0, 1)."""
        return self.candidates[0].probability

    def agrees_with(self, label: int) -> bool:
        """Whether the neighbours favour this class too."""
        return self.label == label


def knn_predict(neighbours: Sequence[Neighbour], rule: KnnRule, classes: int) -> KnnPrediction:
    """Predict a photo's class from its first `rule.k` neighbours.

    Args:
        neighbours: at least one, nearest first, without the photo itself.
        rule: how they are weighted.
        classes: the number of classes.

    Returns:
        The prediction.

    Raises:
        ValueError: if there are no neighbours.
    """
    nearest = list(neighbours[: rule.k])
    if not nearest:
        raise ValueError("There are no neighbours to ask.")
    labels = np.array([[neighbour.label for neighbour in nearest]])
    cosines = np.array([[neighbour.similarity for neighbour in nearest]])
    probabilities = knn_probabilities(cosines, labels, rule.temperature, rule.floor, classes)[0]
    named = sorted({neighbour.label for neighbour in nearest}, key=lambda label: (-probabilities[label - 1], label))
    return KnnPrediction(tuple(Candidate(label, float(probabilities[label - 1])) for label in named), len(nearest))


def knn_probabilities(
    cosines: ArrayLike, labels: ArrayLike, temperature: float, floor: float, classes: int
) -> NDArray[np.float64]:
    """The classes' probabilities from the neighbours of n photos.

    The weight of a class is the sum of exp(cosine / temperature) over its neighbours, normalized over all of them (Wu
    et al. 2018, arXiv 1805.01978, section 3.4), times 1 − floor, plus floor / classes.

    Args:
        cosines: (n, k).
        labels: (n, k), 1-based.
        temperature: above 0.
        floor: in [0, 1).
        classes: the number of classes.

    Returns:
        (n, classes) float64, rows sum to 1.
    """
    similar, columns = np.asarray(cosines, dtype=np.float64), np.asarray(labels, dtype=np.int64) - 1
    weights = np.exp((similar - similar.max(axis=1, keepdims=True)) / temperature)
    weights /= weights.sum(axis=1, keepdims=True)
    of_class = np.zeros((len(similar), classes))
    np.add.at(of_class, (np.arange(len(similar))[:, None], columns), weights)
    return (1 - floor) * of_class + floor / classes


def fit_knn_rule(
    vectors: ArrayLike,
    labels: ArrayLike,
    gallery_vectors: ArrayLike,
    gallery_labels: ArrayLike,
    *,
    splits: tuple[str, ...],
    classes: int,
) -> KnnRule:
    """Choose k, temperature and floor by the smallest negative log-likelihood of photos outside the gallery.

    Beyond `MOST` photos so many of them are asked, as evenly over the classes as they go: three numbers need no more,
    and each photo is compared with the whole gallery.

    Args:
        vectors: (n, c), norm 1, of the photos that the rule is fitted to.
        labels: (n,), 1-based.
        gallery_vectors: (m, c), norm 1, of the photos that are the neighbours.
        gallery_labels: (m,), 1-based.
        splits: the splits of the neighbours. The probabilities are calibrated for these alone.
        classes: the number of classes.

    Returns:
        The rule, with its top-1 accuracy and negative log-likelihood on the photos that it is fitted to.

    Raises:
        ValueError: if there are no photos to fit to, or no neighbours.
    """
    from scipy.optimize import minimize_scalar

    queries, gallery = np.asarray(vectors, dtype=np.float32), np.asarray(gallery_vectors, dtype=np.float32)
    columns, known_labels = np.asarray(labels, dtype=np.int64) - 1, np.asarray(gallery_labels, dtype=np.int64)
    if not len(queries) or not len(gallery):
        raise ValueError("A k-NN rule needs photos to be chosen on, and photos to ask.")
    if len(queries) > MOST:
        drawn = np.random.default_rng(0).permutation(len(queries))
        asked = drawn[by_turns(columns[drawn])[:MOST]]
        queries, columns = queries[asked], columns[asked]
    similar, named = (np.concatenate(parts) for parts in zip(*_nearest(queries, gallery, known_labels), strict=True))
    rows = np.arange(len(queries))

    def loss(log_temperature: float, k: int, floor: float) -> float:
        probabilities = knn_probabilities(similar[:, :k], named[:, :k], np.exp(log_temperature), floor, classes)
        return -float(np.log(probabilities[rows, columns]).mean())

    trials = []
    for k in sorted({min(k, len(gallery)) for k in COUNTS}):
        for floor in FLOORS:
            found = minimize_scalar(
                loss,
                bounds=tuple(np.log(TEMPERATURE_RANGE)),
                args=(k, floor),
                method="bounded",
                options={"xatol": 1e-3},
            )
            trials.append((float(found.fun), k, float(np.exp(found.x)), floor))
    nll, k, temperature, floor = min(trials)
    probabilities = knn_probabilities(similar[:, :k], named[:, :k], temperature, floor, classes)
    correct = probabilities.argmax(axis=1) == columns
    return KnnRule(k, temperature, floor, splits, float(correct.mean()), nll, len(queries))


def _nearest(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], labels: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Cosines and labels of the nearest neighbours, (≤ _BLOCK, k) each, of so many queries at a time."""
    for start in range(0, len(queries), _BLOCK):
        cosines = queries[start : start + _BLOCK] @ gallery.T
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : max(COUNTS)]
        yield np.take_along_axis(cosines, nearest, axis=1), labels[nearest]
