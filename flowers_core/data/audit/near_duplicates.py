"""Pictures that are there twice though their bytes differ: scaled, recompressed, retouched, cut or mirrored copies.

Two witnesses must agree. A perceptual hash sees the arrangement of light and is fooled by any two dark discs on a pale
ground; the model's embedding sees the flower and finds two photos of one bed alike. Where both say so, the pair is one
picture, or two of a series taken within moments: either way the second tells a model nothing that the first did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.audit.image_statistics import PhotoFacts, hamming

# Of 64 bits; chance puts two unrelated photos 32 ± 4 apart.
MAX_DISTANCE = 12
MIN_COSINE = 0.85

_BLOCK = 512


@dataclass(frozen=True)
class NearPair:
    """Two photos that show the same picture; first < second.

    distance: bits of 64 in which their perceptual hashes differ. mirrored: whether it is the mirror image of one that
    is this near. cosine: likeness of their embeddings, in [-1, 1]. identical: whether the files are equal byte by byte.
    """

    first: int
    second: int
    distance: int
    mirrored: bool
    cosine: float
    identical: bool


def near_pairs(
    facts: PhotoFacts,
    embeddings: ArrayLike,
    *,
    max_distance: int = MAX_DISTANCE,
    min_cosine: float = MIN_COSINE,
) -> list[NearPair]:
    """Every pair within `max_distance` bits, as it is or mirrored, and of `min_cosine` or more; nearest first.

    embeddings: (n, c), row i belonging to facts.ids[i], none zero. Equals by ids. Files that are equal byte by byte are
    always among them. All n(n−1)/2 pairs are compared: 8189 photos take about a second.
    """
    vectors = np.asarray(embeddings, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(facts):
        raise ValueError(f"There are {len(vectors)} embeddings for {len(facts)} photos.")
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(norms).all() and (norms > 0).all()):
        raise ValueError("An embedding is zero, or holds values that are not finite numbers.")
    vectors = vectors / norms
    digests = np.array(facts.sha256)
    found = []
    for start in range(0, len(facts), _BLOCK):
        block = slice(start, start + _BLOCK)
        straight = hamming(facts.hashes[block, None], facts.hashes[None, start:])
        mirrored = hamming(facts.mirrored_hashes[block, None], facts.hashes[None, start:])
        rows, columns = np.nonzero(np.minimum(straight, mirrored) <= max_distance)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            a, b = start + row, start + column
            if b <= a:
                continue
            identical = bool(digests[a] == digests[b])
            cosine = min(1.0, float(vectors[a] @ vectors[b]))
            if identical or cosine >= min_cosine:
                near, flipped = int(straight[row, column]), int(mirrored[row, column])
                first, second = sorted((int(facts.ids[a]), int(facts.ids[b])))
                found.append(NearPair(first, second, min(near, flipped), flipped < near, cosine, identical))
    return sorted(found, key=lambda pair: (not pair.identical, pair.distance, pair.first, pair.second))


def near_copy_rule(rule: Mapping[str, Any]) -> str:
    """What counted as a near copy, as a sentence; rule: as scripts/evaluate.py keeps it beside the figures."""
    return (
        "A near copy is a photo whose perceptual hash, as it is or mirrored, differs in at most "
        f"{rule['max_distance_of_64_bits']} of 64 bits, and whose embedding by {rule['model']} has a cosine of "
        f"{rule['min_cosine']:g} or more."
    )


def groups_of(pairs: Iterable[NearPair]) -> list[tuple[int, ...]]:
    """The photos that hang together by pairs, each group ascending, in order of their first photo."""
    group: dict[int, set[int]] = {}
    for pair in pairs:
        joined = group.get(pair.first, {pair.first}) | group.get(pair.second, {pair.second})
        for photo_id in joined:
            group[photo_id] = joined
    return sorted({tuple(sorted(members)) for members in group.values()})


def leaks(
    pairs: Iterable[NearPair], ids: NDArray[np.int64], splits: NDArray[np.str_]
) -> list[tuple[NearPair, str, str]]:
    """The pairs whose photos lie in different splits, with the split of the first and of the second."""
    split_of = dict(zip(ids.tolist(), splits.tolist(), strict=True))
    return [
        (pair, split_of[pair.first], split_of[pair.second])
        for pair in pairs
        if split_of[pair.first] != split_of[pair.second]
    ]
