"""How near an embedding lies to a class: its cosine with the class's prototype, the mean of its training embeddings.

A softmax over flowers gives some flower a high probability in many a picture that shows none. Such a picture's
embedding lies far from the training photos, and the distance to the prototype tells that better than the probability
does (Lee et al. 2018, arXiv 1807.03888, section 2; they use a covariance, for which ten photos a class are too few).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Fraction of training photos that the threshold rejects.
REJECTED_FRACTION = 0.02


@dataclass(frozen=True, eq=False)
class Prototypes:
    """The mean embedding of each class, and the cosine from which on an embedding counts as near.

    Attributes:
        vectors: (classes, c) float32 of norm 1; zeros for a class without photos, which nothing is near to.
        threshold: the `REJECTED_FRACTION` quantile of training photos' cosine to their own class's prototype.
    """

    vectors: NDArray[np.float32]
    threshold: float

    def within_threshold(self, embeddings: ArrayLike, label: int) -> NDArray[np.bool_]:
        """Which embeddings are near to a class.

        Args:
            embeddings: (n, c) of any length but zero.
            label: the class, 1-based.

        Returns:
            (n,) booleans.
        """
        vectors = np.asarray(embeddings, dtype=np.float32)
        return vectors @ self.vectors[label - 1] >= self.threshold * np.linalg.norm(vectors, axis=1)


def fit_prototypes(vectors: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> Prototypes:
    """The mean embedding of each class, and the threshold.

    Args:
        vectors: (n, c) float32 of norm 1, the embeddings of the training photos; n ≥ 1.
        labels: (n,) int64, 1…classes.
        classes: number of classes.

    Raises:
        ValueError: there are no photos.
    """
    if len(vectors) == 0:
        raise ValueError("There are no training photos to take the mean of.")
    columns = labels - 1
    sums = np.stack([vectors[columns == column].sum(axis=0) for column in range(classes)])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
    return Prototypes(means, float(np.quantile((vectors * means[columns]).sum(axis=1), REJECTED_FRACTION)))
