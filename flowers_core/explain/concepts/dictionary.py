"""A dictionary of concepts: a non-negative factorization of the network's last feature maps.

Fel et al. 2023, "CRAFT: Concept Recursive Activation FacTorization for Explainability", arXiv 2211.10154. After ReLU6
the feature vectors of positions are not negative, and neither is any factor of A ≈ U V. A row of V is a concept: a
pattern of channels that occur together. A row of U says how much of each concept there is at a position. Concepts add
up and never cancel (Lee and Seung 1999, "Learning the parts of objects by non-negative matrix factorization", Nature
401).

CRAFT has a dictionary for each class. Here the whole model has one, so that classes can be compared in the same
concepts. V is fitted offline on training photos. For a photo V is fixed, and U solves a non-negative least squares
problem at each position, which takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import FloatArray

#: Sweeps of coordinate descent over all concepts at most; on flower photos with 60 concepts some 25 are enough.
_MOST_SWEEPS = 200
#: It has converged if no coefficient moves by more than this fraction of the largest one.
_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class ConceptDictionary:
    """The concepts of a model.

    Attributes:
        concepts: (k, c) float64, not negative, each row of unit length; read-only.

    Raises:
        ValueError: if the array is no such dictionary.
    """

    concepts: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        concepts = np.array(self.concepts, np.float64)
        if concepts.ndim != 2 or not np.isfinite(concepts).all() or (concepts < 0).any():
            raise ValueError("Concepts must be (concepts, channels), finite and not negative.")
        if not np.allclose(np.linalg.norm(concepts, axis=1), 1, atol=1e-6):
            raise ValueError("Each concept must have unit length.")
        concepts.setflags(write=False)
        object.__setattr__(self, "concepts", concepts)

    def __len__(self) -> int:
        return len(self.concepts)

    def presence(self, features: FloatArray) -> npt.NDArray[np.float64]:
        """How much of each concept there is at each position: the U ≥ 0 that minimizes ‖A − U V‖².

        Cyclic coordinate descent on the normal equations, all positions at once (the inner step of HALS; Cichocki and
        Phan 2009). The problem is convex, so it ends at the least squares solution.

        Args:
            features: (…, c), such as the feature map (h, w, c) of a photo.

        Returns:
            (…, k) float64, not negative.

        Raises:
            ValueError: if the channels are not the dictionary's.
        """
        if features.shape[-1] != self.concepts.shape[1]:
            raise ValueError(f"Features {features.shape} do not fit concepts {self.concepts.shape}.")
        vectors = features.reshape(-1, features.shape[-1]).astype(np.float64)
        # One row for each concept, so that each update writes contiguous memory.
        target = self.concepts @ vectors.T
        presence = np.maximum(self._pseudo_inverse @ vectors.T, 0)
        for _ in range(_MOST_SWEEPS):
            before = presence.copy()
            for concept, row in enumerate(presence):
                # Concepts have unit length, so the Gram matrix has ones on its diagonal.
                presence[concept] = np.maximum(row + target[concept] - self._gram[concept] @ presence, 0)
            if np.abs(presence - before).max(initial=0) <= _TOLERANCE * presence.max(initial=0):
                break
        return presence.T.reshape(*features.shape[:-1], len(self))

    def reconstruct(self, presence: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """U V: the features (…, c) that a presence (…, k) stands for."""
        return presence @ self.concepts

    @cached_property
    def _gram(self) -> npt.NDArray[np.float64]:
        return self.concepts @ self.concepts.T

    @cached_property
    def _pseudo_inverse(self) -> FloatArray:
        return np.linalg.pinv(self.concepts.T)


def fit_dictionary(vectors: FloatArray, count: int, *, seed: int = 0, iterations: int = 400) -> ConceptDictionary:
    """Fit a dictionary by scikit-learn's NMF (coordinate descent from a singular value decomposition). For offline use.

    Args:
        vectors: (n, c), not negative: feature vectors of positions of training photos.
        count: concepts, ≥ 1; at most n and c.
        seed: of the randomized decomposition that it starts from.
        iterations: of the coordinate descent at most.

    Returns:
        The dictionary, the most present concept first. Concepts that occur nowhere are left out.

    Raises:
        ValueError: if the count is out of range, or a vector has a negative value.
    """
    from sklearn.decomposition import NMF

    if not 1 <= count <= min(vectors.shape):
        raise ValueError(f"Vectors of {vectors.shape} can give 1 to {min(vectors.shape)} concepts, not {count}.")
    factorization = NMF(count, init="nndsvda", random_state=seed, max_iter=iterations)
    presence = factorization.fit_transform(vectors.astype(np.float64))
    lengths = np.linalg.norm(factorization.components_, axis=1)
    amounts = presence.mean(axis=0) * lengths
    order = [concept for concept in np.argsort(-amounts, kind="stable") if amounts[concept] > 0]
    return ConceptDictionary(factorization.components_[order] / lengths[order, None])


def matched_similarity(one: ConceptDictionary, other: ConceptDictionary) -> npt.NDArray[np.float64]:
    """Cosine of each concept of `one` with its partner in `other`, in the matching with the largest sum.

    It says how stable a dictionary is when it is compared with fits from other seeds or other photos.

    Args:
        one: k concepts.
        other: any number of concepts over the same channels.

    Returns:
        (min of the two sizes,) float64, 0…1.
    """
    from scipy.optimize import linear_sum_assignment

    similarity = one.concepts @ other.concepts.T
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return similarity[rows, columns]
