"""Near-duplicates: scaled, recompressed, retouched, cropped or mirrored copies, whose bytes differ.

Two independent signals must agree. A perceptual hash compares the arrangement of light and confuses any two dark discs
on a pale ground. The model's embedding compares the flowers and confuses two photos of one bed. Where both agree, the
two photos are one picture or were taken within moments of each other, and the second teaches a model nothing new.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flowers_core.data.audit.image_statistics import ImageStatistics, hamming

# Of 64 bits; two unrelated photos differ in 32 ± 4.
MAX_DISTANCE = 12
MIN_COSINE = 0.85

_BLOCK = 512


@dataclass(frozen=True)
class NearDuplicate:
    """Two photos that show the same picture.

    Attributes:
        first: the smaller photo id.
        second: the larger photo id.
        distance: bits of 64 in which their perceptual hashes differ.
        mirrored: whether the mirror image of one is closer to the other than the photo itself.
        cosine: similarity of their embeddings, in [-1, 1].
        identical: whether the files are the same, byte for byte.
    """

    first: int
    second: int
    distance: int
    mirrored: bool
    cosine: float
    identical: bool


def find_near_duplicates(
    statistics: ImageStatistics,
    embeddings: ArrayLike,
    *,
    max_distance: int = MAX_DISTANCE,
    min_cosine: float = MIN_COSINE,
) -> list[NearDuplicate]:
    """Find the pairs that both signals call near. Files that are the same byte for byte are always among them.

    All n(n − 1)/2 pairs are compared: 8189 photos take about a second.

    Args:
        statistics: of n photos.
        embeddings: (n, c), row i of the photo statistics.ids[i]; none zero.
        max_distance: the largest Hamming distance of the perceptual hashes, as they are or mirrored.
        min_cosine: the smallest cosine of the embeddings.

    Returns:
        The pairs, identical files first, then by distance, equals by id.

    Raises:
        ValueError: the embeddings do not belong to the photos, or one is zero or not finite.
    """
    vectors = np.asarray(embeddings, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(statistics):
        raise ValueError(f"There are {len(vectors)} embeddings for {len(statistics)} photos.")
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(norms).all() and (norms > 0).all()):
        raise ValueError("An embedding is zero, or holds values that are not finite numbers.")
    vectors = vectors / norms
    digests = np.array(statistics.sha256)
    found = []
    for a, b, near, flipped in close_hashes(statistics.hashes, statistics.mirrored_hashes, max_distance):
        identical = bool(digests[a] == digests[b])
        cosine = min(1.0, float(vectors[a] @ vectors[b]))
        if identical or cosine >= min_cosine:
            first, second = sorted((int(statistics.ids[a]), int(statistics.ids[b])))
            found.append(NearDuplicate(first, second, min(near, flipped), flipped < near, cosine, identical))
    return sorted(found, key=lambda pair: (not pair.identical, pair.distance, pair.first, pair.second))


def close_hashes(
    hashes: NDArray[np.uint64], mirrored_hashes: NDArray[np.uint64], max_distance: int
) -> Iterator[tuple[int, int, int, int]]:
    """Find the pairs of photos whose perceptual hashes are close, one of them mirrored or not.

    Args:
        hashes, mirrored_hashes: (n,) uint64, as in `ImageStatistics`.
        max_distance: the largest Hamming distance.

    Yields:
        The places a < b of two photos, and the distances of their hashes, as they are and with a mirrored.
    """
    for start in range(0, len(hashes), _BLOCK):
        block = slice(start, start + _BLOCK)
        straight = hamming(hashes[block, None], hashes[None, start:])
        mirrored = hamming(mirrored_hashes[block, None], hashes[None, start:])
        rows, columns = np.nonzero(np.minimum(straight, mirrored) <= max_distance)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if column > row:
                yield start + row, start + column, int(straight[row, column]), int(mirrored[row, column])


def near_duplicate_rules(rules: Iterable[Mapping[str, Any]]) -> str:
    """What counted as a near-duplicate, as a sentence for all models that the same bounds were asked of.

    Args:
        rules: as `flowers evaluate` keeps them beside the figures; equal ones are named once.
    """
    models: dict[tuple[int, float], dict[str, None]] = {}
    for rule in rules:
        models.setdefault((rule["max_distance_of_64_bits"], rule["min_cosine"]), {})[rule["model"]] = None
    return " ".join(
        f"A near copy is a photo whose perceptual hash, as it is or mirrored, differs in at most {bits} of 64 bits, "
        f"and whose embedding by {' or '.join(names)} has a cosine of {cosine:g} or more."
        for (bits, cosine), names in models.items()
    )


def duplicate_groups(pairs: Iterable[NearDuplicate]) -> list[tuple[int, ...]]:
    """Groups of photos that pairs connect: ascending ids in each, groups in order of their first id."""
    edges = np.array([(pair.first, pair.second) for pair in pairs], dtype=np.int64).reshape(-1, 2)
    ids, ends = np.unique(edges, return_inverse=True)
    first, second = ends.reshape(-1, 2).T
    graph = coo_array((np.ones(len(edges), np.int8), (first, second)), shape=(len(ids), len(ids)))
    count, component = connected_components(graph, directed=False)
    return sorted(tuple(ids[component == group].tolist()) for group in range(count))


def leaks(
    pairs: Iterable[NearDuplicate], ids: NDArray[np.int64], splits: NDArray[np.str_]
) -> list[tuple[NearDuplicate, str, str]]:
    """The pairs whose photos lie in different splits, with the split of the first and of the second.

    Args:
        pairs: near-duplicates among `ids`.
        ids: (n,) photo ids.
        splits: (n,) the split of each.
    """
    split_of = dict(zip(ids.tolist(), splits.tolist(), strict=True))
    return [
        (pair, split_of[pair.first], split_of[pair.second])
        for pair in pairs
        if split_of[pair.first] != split_of[pair.second]
    ]


def near_leaks(
    pairs: Collection[NearDuplicate],
    ids: NDArray[np.int64],
    splits: NDArray[np.str_],
    split: str,
    others: Collection[str],
) -> NDArray[np.int64]:
    """The photos of a split that have a duplicate, exact or near, in one of the other splits.

    Without these photos, an accuracy is about pictures that the model has never seen.

    Args:
        pairs: near-duplicates among `ids`.
        ids: (n,) photo ids.
        splits: (n,) the split of each.
        split: the split whose photos are returned.
        others: the splits that the model was fitted on.

    Returns:
        (m,) int64 ids, ascending.
    """
    split_of = dict(zip(ids.tolist(), splits.tolist(), strict=True))
    found = set()
    for pair in pairs:
        for photo, duplicate in ((pair.first, pair.second), (pair.second, pair.first)):
            if split_of[photo] == split and split_of[duplicate] in others:
                found.add(photo)
    return np.array(sorted(found), dtype=np.int64)
