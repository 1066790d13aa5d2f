"""A dictionary of concepts: a non-negative factorization of the network's last feature maps.

Fel et al. 2023, "CRAFT: Concept Recursive Activation FacTorization for Explainability", arXiv 2211.10154. After ReLU6
the feature vectors of positions are not negative, and neither is any factor of A ≈ U V. A row of V is a concept: a
pattern of channels that occur together. A row of U says how much of each concept there is at a position. Concepts add
up and never cancel (Lee and Seung 1999, "Learning the parts of objects by non-negative matrix factorization", Nature
401).

CRAFT has a dictionary for each class. Here the whole model has one, so that classes can be compared in the same
concepts. V is fitted offline on training photos. For a photo V is fixed, and U solves a non-negative least squares
problem at each position, which takes milliseconds. There the distance between A and U V may also count what the head
reads of both, so that few concepts keep the answer: the head looks at directions in which A hardly varies.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import FloatArray

if TYPE_CHECKING:
    from sklearn.decomposition import NMF

#: Steps of the projected gradient at most; on flower photos with 200 concepts some 40 are enough.
_MOST_STEPS = 1000
#: It has converged if no coefficient moves by more than this fraction of the largest one.
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class ConceptDictionary:
    """The concepts of a model.

    Attributes:
        concepts: (k, c) float64, not negative, each row of unit length; read-only.
        readout: (c, r) float64, what counts of a vector besides its channels, as from `head_readout`; None for nothing.

    Raises:
        ValueError: if the array is no such dictionary.
    """

    concepts: npt.NDArray[np.float64]
    readout: npt.NDArray[np.float64] | None = None

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

    def presence(self, features: FloatArray, *, tolerance: float = _TOLERANCE) -> npt.NDArray[np.float64]:
        """How much of each concept there is at each position: the U ≥ 0 that minimizes ‖A − U V‖² + ‖(A − U V) R‖².

        Accelerated projected gradient on the normal equations, all positions at once (Beck and Teboulle 2009,
        "A fast iterative shrinkage-thresholding algorithm", with the restart of O'Donoghue and Candès 2015). The
        problem is convex, so it ends at the least squares solution.

        Args:
            features: (…, c), such as the feature map (h, w, c) of a photo.
            tolerance: it ends when no coefficient moves by more than this fraction of the largest one.

        Returns:
            (…, k) float64, not negative.

        Raises:
            ValueError: if the channels are not the dictionary's.
        """
        if features.shape[-1] != self.concepts.shape[1]:
            raise ValueError(f"Features {features.shape} do not fit concepts {self.concepts.shape}.")
        vectors = features.reshape(-1, features.shape[-1]).astype(np.float64)
        target, begin = np.split(vectors @ self._target_and_begin, 2, axis=1)
        presence = np.maximum(begin, 0)
        ahead, momentum = presence, 1.0
        for _ in range(_MOST_STEPS):
            stepped = np.maximum(ahead - (ahead @ self._gram - target) / self._curvature, 0)
            moved = stepped - presence
            if np.sum((ahead - stepped) * moved) > 0:  # it overshot: without momentum from here
                momentum = 1.0
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = stepped + (momentum - 1) / following * moved
            presence, momentum = stepped, following
            if np.abs(moved).max(initial=0) <= tolerance * presence.max(initial=0):
                break
        return presence.reshape(*features.shape[:-1], len(self))

    def reconstruct(self, presence: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """U V: the features (…, c) that a presence (…, k) stands for."""
        return presence @ self.concepts

    def _read(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Vectors (n, c) with what is read of them, (n, c + r): their distance is the one that is minimized."""
        return vectors if self.readout is None else np.concatenate([vectors, vectors @ self.readout], axis=1)

    def normal_equations(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
        """What another implementation of `presence` needs.

        Returns:
            What features (…, c) are multiplied by, (c, k); the Gram matrix (k, k); and its largest eigenvalue.
        """
        return self._target_and_begin[:, : len(self)], self._gram, self._curvature

    @cached_property
    def _gram(self) -> npt.NDArray[np.float64]:
        read = self._read(self.concepts)
        return read @ read.T

    @cached_property
    def _curvature(self) -> float:
        """The largest eigenvalue of the Gram matrix: 1 ÷ it is a step that never overshoots."""
        return float(np.linalg.eigvalsh(self._gram)[-1])

    @cached_property
    def _target_and_begin(self) -> npt.NDArray[np.float64]:
        """What vectors (n, c) are multiplied by for A Vᵀ and for the solution that may be negative, (c, 2 k)."""
        maps = np.concatenate([self._read(self.concepts).T, np.linalg.pinv(self._read(self.concepts))], axis=1)
        channels = self.concepts.shape[1]
        return maps if self.readout is None else maps[:channels] + self.readout @ maps[channels:]


def head_readout(head: FloatArray, weight: float) -> npt.NDArray[np.float64]:
    """What a head reads of a feature vector, as a dictionary's readout: its logits less their mean.

    Args:
        head: (c, classes), the linear layer's weights.
        weight: of a logit beside a channel, ≥ 0.

    Returns:
        (c, classes) float64.
    """
    return weight * (head - head.mean(axis=1, keepdims=True)).astype(np.float64)


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
    return _factorized(NMF(count, init="nndsvda", random_state=seed, max_iter=iterations), vectors)


def refine_dictionary(begin: ConceptDictionary, vectors: FloatArray, *, iterations: int) -> ConceptDictionary:
    """Go on from a dictionary by the same coordinate descent. For offline use.

    Args:
        begin: what it starts from; its readout is not heeded.
        vectors: (n, c), not negative.
        iterations: at most; after few the concepts are near those that it began with.

    Returns:
        As `fit_dictionary`.
    """
    from sklearn.decomposition import NMF

    presence = np.maximum(vectors @ np.linalg.pinv(begin.concepts), 0)
    factorization = NMF(len(begin), init="custom", max_iter=iterations)
    return _factorized(factorization, vectors, W=presence, H=begin.concepts.copy())


def _factorized(factorization: NMF, vectors: FloatArray, **begin: FloatArray) -> ConceptDictionary:
    from scipy.sparse import csr_array
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Fewer iterations than it takes to converge are the caller's choice.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Of a network's features after ReLU few are above 0, and for them scikit-learn takes a shortcut.
        presence = factorization.fit_transform(csr_array(vectors.astype(np.float64)), **begin)
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
