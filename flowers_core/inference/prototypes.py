"""How near a picture is to the photos that its name was learnt from: its cosine with the mean of their embeddings.

A softmax over flowers gives some flower a high probability in many a picture that shows none. What the network then
sees lies far from what it learnt, and the distance to the class' mean tells that better than the probability does (Lee
et al. 2018, arXiv 1807.03888, section 2; there with a covariance, which so few photos a class do not give).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Of the photos that were learnt from so many are farther from the mean of their class than what passes.
FARTHER = 0.02


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """The mean embedding of each class' training photos, and how near it a picture of that class should be.

    means: (classes, c) float32 of norm 1; zeros for a class without photos, which nothing is near to. bar: a cosine,
    that of the training photos' own with their class' mean which FARTHER of them do not reach.
    """

    means: NDArray[np.float32]
    bar: float

    def near(self, embeddings: ArrayLike, label: int) -> NDArray[np.bool_]:
        """Which of these embeddings, (n, c) of any length but zero, are near enough to the class, 1-based: (n,)."""
        vectors = np.asarray(embeddings, dtype=np.float32)
        return vectors @ self.means[label - 1] >= self.bar * np.linalg.norm(vectors, axis=1)


def fit_class_means(vectors: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> ClassMeans:
    """The mean embedding of each class.

    Args:
        vectors: (n, c) float32 of norm 1, the embeddings of the photos that the network learnt from; n ≥ 1.
        labels: (n,) int64, 1…classes.
        classes: how many classes there are.

    Raises:
        ValueError: where there are no photos.
    """
    if len(vectors) == 0:
        raise ValueError("There are no training photos to take the mean of.")
    columns = labels - 1
    sums = np.zeros((classes, vectors.shape[1]), np.float32)
    np.add.at(sums, columns, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
    return ClassMeans(means, float(np.quantile((vectors * means[columns]).sum(axis=1), FARTHER)))
