"""What a similarity means: how it compares with the similarities within a class, and what compression costs.

A cosine of 0.8 is ordinary between two sunflowers and remarkable between two roses. It is therefore compared with the
cosines of all pairs of photos of the class: "closer than 95 % of pairs".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.errors import FlowersError
from flowers_core.retrieval.gallery import Gallery, GalleryError, unit_rows
from flowers_core.storage.npz import NpzError, read_npz

SIMILARITY_FILE = "likeness.npz"
# Fewer pairs are too few for a percentage.
MIN_PAIRS = 20

_LEVELS = np.linspace(0, 1, 101)
_BLOCK = 256
# Photos of a class whose pairs are measured, and queries of a recall among more than so many photos.
_OF_A_CLASS, _QUERIES, _MANY = 1000, 1000, 2000
_ANEW = "`flowers build_gallery` makes it anew."


class SimilarityError(FlowersError):
    """A file of within-class similarities that cannot be used."""


@dataclass(frozen=True, eq=False)
class ClassSimilarity:
    """The distribution of cosines between two different photos of one class.

    Attributes:
        labels: (m,) int64, ascending, the classes with at least MIN_PAIRS pairs.
        pairs: (m,) int64, the number of pairs of each.
        quantiles: (m, 101) float32, the 0 % … 100 % quantiles of the cosines of each class's pairs.
    """

    labels: NDArray[np.int64]
    pairs: NDArray[np.int64]
    quantiles: NDArray[np.float32]

    def level_of(self, label: int, similarity: float) -> float | None:
        """The fraction of the class's pairs that are less similar than this.

        Args:
            label: the class, 1-based.
            similarity: a cosine.

        Returns:
            A fraction in [0, 1], linear between two stored quantiles, 0 below the smallest cosine of the class's pairs
            and 1 above the largest; None for a class that has too few pairs.
        """
        row = int(np.searchsorted(self.labels, label))
        if row == len(self.labels) or self.labels[row] != label:
            return None
        # Equal quantiles make a step. Its upper end is the fraction of pairs at or below it.
        values, last = np.unique(self.quantiles[row][::-1], return_index=True)
        return float(np.interp(similarity, values, _LEVELS[::-1][last], left=0.0, right=1.0))

    def arrays(self) -> dict[str, ArrayLike]:
        """What `load_class_similarity` reads, by name; about 20 kB compressed."""
        return {"labels": self.labels, "pairs": self.pairs, "quantiles": self.quantiles}


def fit_class_similarity(
    vectors: ArrayLike, labels: ArrayLike, *, digests: Collection[bytes] | None = None
) -> ClassSimilarity:
    """Measure the cosines of all pairs within each class.

    Args:
        vectors: (n, c), norm 1, of photos that the model was not fitted on: fitting makes the photos of a class more
            similar.
        labels: (n,), 1-based.
        digests: n digests of the photos' files. Exact duplicates count once, because a photo's similarity to itself
            says nothing.

    Returns:
        The distributions of the classes with enough pairs.

    Raises:
        ValueError: if the shapes do not fit.
    """
    unit, all_labels = np.asarray(vectors, dtype=np.float32), np.asarray(labels, dtype=np.int64)
    if unit.ndim != 2 or all_labels.shape != unit.shape[:1] or (digests is not None and len(digests) != len(unit)):
        raise ValueError(
            f"Vectors of shape {unit.shape} and labels of shape {all_labels.shape} do not belong together."
        )
    if digests is not None:
        _, first = np.unique(np.array(list(digests)), return_index=True)
        unit, all_labels = unit[np.sort(first)], all_labels[np.sort(first)]
    kept, pairs, quantiles = [], [], []
    for label in np.unique(all_labels):
        members = unit[_spread(np.flatnonzero(all_labels == label), _OF_A_CLASS)]
        cosines = (members @ members.T)[np.triu_indices(len(members), 1)]
        if len(cosines) >= MIN_PAIRS:
            kept.append(int(label))
            pairs.append(len(cosines))
            quantiles.append(np.quantile(np.clip(cosines, -1, 1), _LEVELS))
    return ClassSimilarity(
        np.array(kept, np.int64), np.array(pairs, np.int64), np.array(quantiles, np.float32).reshape(-1, len(_LEVELS))
    )


def load_class_similarity(path: Path) -> ClassSimilarity:
    """Read a file of `ClassSimilarity.arrays`. Raises SimilarityError when it is missing or damaged."""
    try:
        arrays = read_npz(path)
        found = ClassSimilarity(
            arrays["labels"].astype(np.int64), arrays["pairs"].astype(np.int64), arrays["quantiles"].astype(np.float32)
        )
    except (NpzError, KeyError, ValueError, TypeError) as error:
        raise SimilarityError(f"{path} cannot be read. {_ANEW}") from error
    rows = len(found.labels)
    if found.pairs.shape != (rows,) or found.quantiles.shape != (rows, len(_LEVELS)) or found.labels.ndim != 1:
        raise SimilarityError(f"{path} is damaged. {_ANEW}")
    return found


def recall_at_k(gallery: Gallery, embeddings: ArrayLike, k: int) -> float:
    """The fraction of true nearest neighbours that a gallery finds in spite of its compression.

    Every photo, or a thousand spread over more than two thousand, is the query once, with its float32 embedding, and is
    itself excluded. A neighbour counts if its float32 cosine reaches the k-th largest, so that exact duplicates may
    replace each other.

    Args:
        gallery: the gallery.
        embeddings: (n, c), row i of the photo `gallery.ids[i]`.
        k: at least 1 and less than n.

    Returns:
        Recall in [0, 1].

    Raises:
        GalleryError: when the embeddings are not as many as the gallery's photos or of another length, or k is out of
            range.
    """
    vectors = unit_rows(np.asarray(embeddings, dtype=np.float32))
    if vectors.shape != (len(gallery), gallery.dimension) or not 1 <= k < len(gallery):
        raise GalleryError(f"Recall needs one embedding for each of the {len(gallery)} photos, and k below that.")
    found, queries = 0, np.arange(len(vectors))
    if len(queries) > _MANY:
        queries = _spread(queries, _QUERIES)
    row_of = {int(photo_id): row for row, photo_id in enumerate(gallery.ids)}
    for start in range(0, len(queries), _BLOCK):
        block = queries[start : start + _BLOCK]
        for row, cosines in zip(block.tolist(), vectors[block] @ vectors.T, strict=True):
            cosines[row] = -np.inf
            kth = np.partition(cosines, -k)[-k]
            neighbours = gallery.search(vectors[row], k, exclude=(int(gallery.ids[row]),))
            rows = [row_of[neighbour.photo_id] for neighbour in neighbours]
            # Float32 rounds the cosines of equal vectors differently by a few parts in ten million.
            found += int((cosines[rows] >= kth - 1e-6).sum())
    return found / (k * len(queries))


def _spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """So many of the rows at most, from first to last."""
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)] if len(rows) > most else rows
