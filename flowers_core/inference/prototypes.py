"""How near a picture is to the photos that its name was learnt from: its cosine with the mean of their embeddings.

A softmax over flowers gives some flower a high probability in many a picture that shows none. What the network then
sees lies far from what it learnt, and the distance to the class' mean tells that better than the probability does (Lee
et al. 2018, arXiv 1807.03888, section 2; there with a covariance, which so few photos a class do not give).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from flowers_core.inference.bundle import Bundle
    from flowers_core.retrieval.gallery import Gallery

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


def fit_class_means(gallery: Gallery, splits: Collection[str], classes: int) -> ClassMeans:
    """The means over a gallery's photos of these splits, which should be those that the network learnt from.

    Raises ValueError when there are none.
    """
    chosen = np.isin(gallery.splits, list(splits))
    if not chosen.any():
        raise ValueError(f"The gallery has no photos of the splits {', '.join(splits)}.")
    vectors, columns = gallery.vectors(splits), gallery.labels[chosen] - 1
    sums = np.zeros((classes, gallery.dimension), np.float32)
    np.add.at(sums, columns, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
    return ClassMeans(means, float(np.quantile((vectors * means[columns]).sum(axis=1), FARTHER)))


def class_means_of(bundle: Bundle, gallery: Gallery | None = None) -> ClassMeans | None:
    """A bundle's, from its gallery, which is loaded unless given, and the splits that it learnt from.

    None for a bundle without a gallery or without a word on its training.
    """
    from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery

    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE) and "training" in bundle.manifest):
        return None
    known = gallery or Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    return fit_class_means(known, bundle.manifest["training"]["splits"], len(bundle.class_names))
