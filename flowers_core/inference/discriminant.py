"""Where the classes lie among a network's embeddings, scaled by the variation within classes.

Raw embeddings say little: their channels are never negative, so the cosine of any two is high. Two scalings help.
Dividing each channel by its deviation within classes gives distances that grow fast if a picture excites channels that
no photo of the class excites (Mahalanobis with a diagonal covariance; Lee et al. 2018, arXiv 1807.03888). These tell
pictures without a flower. Projecting on the directions that separate the classes (Fisher's linear discriminants with a
shrunk covariance) gives cosines that tell right answers from wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Weight of the diagonal in the covariance of the discriminants. Of 0.1, 0.3, 0.6 and 0.9 this value told right answers
# to clean and corrupted validation photos best (AUROC of the cosine 95.7 and 91.9 %; 95.0 and 90.6 % at 0.1).
SHRINKAGE = 0.6
# Fractions of the mean variance that are added to each channel's variance. Otherwise channels that hardly vary would
# dominate every distance. Of 0.001, 0.01 and 0.1 the last told pictures without a flower best.
_FLOOR_OF_DISTANCE, _FLOOR_OF_COVARIANCE = 0.1, 0.01


@dataclass(frozen=True, eq=False)
class DiscriminantSpace:
    """Where the classes lie among the embeddings of the training photos.

    Attributes:
        prototypes: (classes, c) float32, the mean embedding of each class.
        scale: (c,) float32, the factor on each channel before distances are taken.
        mean: (c,) float32, the mean embedding of all training photos.
        projection: (c, d) float32, from a centred embedding to its discriminants.
    """

    prototypes: NDArray[np.float32]
    scale: NDArray[np.float32]
    mean: NDArray[np.float32]
    projection: NDArray[np.float32]

    def __post_init__(self) -> None:
        channels = self.mean.shape
        if (
            self.prototypes.shape[1:] != channels
            or self.scale.shape != channels
            or self.projection.shape[:1] != channels
        ):
            raise ValueError(
                f"Prototypes of shape {self.prototypes.shape}, a scale of {self.scale.shape}, a mean of {channels} and "
                f"a projection of {self.projection.shape} are not of one space."
            )

    def distances(self, embeddings: ArrayLike) -> NDArray[np.float64]:
        """The scaled distance of each embedding (n, c) from each prototype: (n, classes) float64, at least 0."""
        scaled, (ends, lengths) = np.asarray(embeddings) * self.scale, self._ends
        squares = (scaled**2).sum(axis=1)[:, None] - 2 * scaled @ ends.T + lengths
        return np.sqrt(np.maximum(squares, 0).astype(np.float64))

    def cosines(self, embeddings: ArrayLike) -> NDArray[np.float64]:
        """The cosine of each embedding (n, c) with each prototype among the discriminants: (n, classes) float64."""
        vectors = _unit((np.asarray(embeddings) - self.mean) @ self.projection)
        return np.clip(vectors @ self._directions.T, -1.0, 1.0).astype(np.float64)

    @cached_property
    def _ends(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The scaled prototypes, and their squared lengths (1, classes)."""
        ends = self.prototypes * self.scale
        return ends, (ends**2).sum(axis=1)[None, :]

    @cached_property
    def _directions(self) -> NDArray[np.floating]:
        """The prototypes among the discriminants, of norm 1."""
        return _unit((self.prototypes - self.mean) @ self.projection)

    def with_prototype(self, prototype: NDArray[np.floating]) -> DiscriminantSpace:
        """The space with one more class, whose mean embedding (c,) is this; scale and projection stay."""
        return replace(self, prototypes=np.vstack([self.prototypes, prototype]).astype(np.float32))

    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """The arrays that a bundle keeps, in half precision where no distance changes by more than a thousandth."""
        return {
            "prototypes": self.prototypes.astype(np.float16),
            "scale": self.scale,
            "mean": self.mean,
            "projection": self.projection.astype(np.float16),
        }


def fit_discriminant_space(embeddings: ArrayLike, labels: ArrayLike, classes: int) -> DiscriminantSpace:
    """Fit the space of a network to its training photos.

    Args:
        embeddings: (n, c) of the training photos.
        labels: (n,), 1…classes. The prototype of a class without photos is the mean of all, which has no direction.
        classes: number of classes, at least 2.

    Raises:
        ValueError: there are not more photos than classes with photos.
    """
    vectors, columns = np.asarray(embeddings, dtype=np.float64), np.asarray(labels, dtype=np.int64) - 1
    counts = np.bincount(columns, minlength=classes)
    shown = int((counts > 0).sum())
    if classes < 2 or len(counts) != classes or len(vectors) <= shown:
        raise ValueError("There must be at least two classes, and more training photos than classes.")
    sums = np.zeros((classes, vectors.shape[1]))
    np.add.at(sums, columns, vectors)
    mean = vectors.mean(axis=0)
    prototypes = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], mean)
    within = vectors - prototypes[columns]
    covariance = within.T @ within / (len(vectors) - shown)
    variances = covariance.diagonal().copy()
    shrunk = (1 - SHRINKAGE) * covariance
    shrunk[np.diag_indices_from(shrunk)] += SHRINKAGE * (variances + _FLOOR_OF_COVARIANCE * variances.mean())
    # In the whitened space n prototypes span n − 1 directions around the mean; all others separate nothing.
    whitening = np.linalg.cholesky(np.linalg.inv(shrunk))
    spanned = np.linalg.svd(((prototypes - mean) @ whitening).T, full_matrices=False)[0][:, : shown - 1]
    return DiscriminantSpace(
        prototypes=prototypes.astype(np.float32),
        scale=(1 / np.sqrt(variances + _FLOOR_OF_DISTANCE * variances.mean())).astype(np.float32),
        mean=mean.astype(np.float32),
        projection=(whitening @ spanned).astype(np.float32),
    )


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
