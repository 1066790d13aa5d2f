"""Whether a picture looks like any of the flowers that a network has learnt, told by one forward pass.

A softmax over flowers gives some flower a high probability in many a picture that shows none. Two distances in the
space of embeddings tell such pictures better. The first is that to the decision boundaries (fDBD: Liu and Qin 2024,
arXiv 2312.11536): what the network knows lies far inside the region of one class. The second is the cosine to the
nearest class' prototype (Lee et al. 2018, arXiv 1807.03888, section 2). Both are free: they need the head's weights and
a few means over the training photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class FeatureGeometry:
    """Where the classes lie in the space of a network's embeddings.

    Attributes:
        weights: (c, classes) float32, the head's.
        prototypes: (classes, c) float32, the mean direction of each class' training photos, of norm 1; zeros for a
            class without photos.
        mean: (c,) float32, the mean embedding of all training photos.
    """

    weights: NDArray[np.float32]
    prototypes: NDArray[np.float32]
    mean: NDArray[np.float32]

    def __post_init__(self) -> None:
        channels, classes = self.weights.shape
        if self.prototypes.shape != (classes, channels) or self.mean.shape != (channels,):
            raise ValueError(
                f"Weights of shape {self.weights.shape}, prototypes of shape {self.prototypes.shape} and a mean of "
                f"shape {self.mean.shape} are not of one network."
            )

    @cached_property
    def _inverse_gaps(self) -> NDArray[np.float32]:
        """(classes, classes): 1 / ‖w_j − w_k‖, and 0 where j = k or two classes have the same weights."""
        squares = (self.weights.astype(np.float64) ** 2).sum(axis=0)
        gaps = squares[:, None] + squares[None, :] - 2 * self.weights.T.astype(np.float64) @ self.weights
        gaps = np.sqrt(np.maximum(gaps, 0))
        usable = gaps > 1e-6 * gaps.max(initial=0)
        return np.divide(1.0, gaps, out=np.zeros_like(gaps), where=usable).astype(np.float32)

    def boundary_distances(self, logits: ArrayLike, embeddings: ArrayLike) -> NDArray[np.float64]:
        """How deep each embedding lies in the region of its class: fDBD.

        It is the mean, over all other classes k, of the distance |z_j − z_k| / ‖w_j − w_k‖ from the boundary between k
        and the predicted class j, divided by the distance of the embedding from the training photos' mean.

        Args:
            logits: (n, classes).
            embeddings: (n, c), those that the logits come from.

        Returns:
            (n,) float64, at least 0; large for what the network knows.
        """
        values, vectors = np.asarray(logits, np.float64), np.asarray(embeddings, np.float64)
        best = values.argmax(axis=1)
        margins = values[np.arange(len(values)), best][:, None] - values
        inside = (margins * self._inverse_gaps[best]).sum(axis=1) / (values.shape[1] - 1)
        away = np.linalg.norm(vectors - self.mean, axis=1)
        return np.divide(inside, away, out=np.zeros_like(inside), where=away > 0)

    def prototype_cosines(self, embeddings: ArrayLike) -> NDArray[np.float64]:
        """The cosine of each embedding (n, c) with each class' prototype: (n, classes) float64 in [−1, 1]."""
        vectors = np.asarray(embeddings, np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return np.clip(unit @ self.prototypes.T, -1.0, 1.0)

    def nearest_prototypes(self, embedding: ArrayLike, k: int) -> tuple[PrototypeCosine, ...]:
        """The k classes whose prototypes are nearest to an embedding (c,), nearest first, ties by label."""
        cosines = self.prototype_cosines(np.asarray(embedding)[None])[0]
        nearest = np.argsort(-cosines, kind="stable")[:k]
        return tuple(PrototypeCosine(int(column) + 1, float(cosines[column])) for column in nearest)


@dataclass(frozen=True)
class PrototypeCosine:
    """How near a picture is to a class: the cosine of its embedding with the prototype of the 1-based label."""

    label: int
    cosine: float


@dataclass(frozen=True)
class NoveltyRule:
    """How boundary distance and prototype cosine become one score of familiarity, and which score is too low.

    Each is standardized by the photos the rule was fitted on, and the score is their weighted sum.

    Attributes:
        distance_mean, distance_deviation: of the boundary distance of photos of known flowers; the deviation above 0.
        cosine_mean, cosine_deviation: likewise, of the cosine to the nearest prototype.
        distance_weight: in [0, 1]; the cosine has the rest.
        threshold: a picture of a lower score looks like none of the flowers.
        accepted: in (0, 1), the share of photos of known flowers whose score reaches the threshold.
    """

    distance_mean: float
    distance_deviation: float
    cosine_mean: float
    cosine_deviation: float
    distance_weight: float
    threshold: float
    accepted: float

    def __post_init__(self) -> None:
        if not (self.distance_deviation > 0 and self.cosine_deviation > 0 and 0 <= self.distance_weight <= 1):
            raise ValueError(f"Deviations must be positive and a weight must lie in [0, 1], unlike those of {self}.")

    def familiarity(self, geometry: FeatureGeometry, logits: ArrayLike, embeddings: ArrayLike) -> NDArray[np.float64]:
        """The score of n photos: (n,) float64, around 0 for known flowers and far below it for anything else."""
        distances = geometry.boundary_distances(logits, embeddings)
        cosines = geometry.prototype_cosines(embeddings).max(axis=1)
        far = (distances - self.distance_mean) / self.distance_deviation
        near = (cosines - self.cosine_mean) / self.cosine_deviation
        return self.distance_weight * far + (1 - self.distance_weight) * near

    def looks_like_none(self, geometry: FeatureGeometry, logits: ArrayLike, embeddings: ArrayLike) -> NDArray[np.bool_]:
        """Whether each of n photos looks like none of the flowers: (n,)."""
        return self.familiarity(geometry, logits, embeddings) < self.threshold
