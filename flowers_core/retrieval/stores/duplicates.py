"""Near-duplicates in a large gallery: the same rule as in the audit of a data set, without comparing all pairs.

Photos that are the same byte for byte are one entry already, as the key is the digest of the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from flowers_core.data.audit.image_statistics import hamming
from flowers_core.data.audit.near_duplicates import MAX_DISTANCE, MIN_COSINE, NearDuplicate
from flowers_core.retrieval.stores.open_store import open_store, quick_index
from flowers_core.retrieval.stores.quick_index import QuickIndex
from flowers_core.retrieval.stores.store import StoreError, VectorStore
from flowers_core.storage.files import write_table

_COLUMNS = ("first", "second", "bits of 64 that differ", "cosine")
# Of four quarters of two hashes that differ in at most seven bits, one differs in at most one.
_QUARTERS, _SURELY_FOUND = 4, 7
_NEIGHBOURS = 10
_BLOCK = 8192


def find_duplicates(
    index: QuickIndex,
    *,
    max_distance: int = MAX_DISTANCE,
    min_cosine: float = MIN_COSINE,
    progress: Callable[[int, int], None] | None = None,
) -> list[NearDuplicate]:
    """Find the pairs of photos that both signals call near: perceptual hash and embedding.

    Candidates are photos whose hashes differ in at most seven bits, all of which are found (multi-index hashing;
    Norouzi et al. 2014, arXiv 1307.2982), and the ten nearest neighbours of each photo. A pair whose hashes differ
    more and that has ten photos nearer to both is missed; such photos are linked through those.

    Args:
        index: of the gallery.
        max_distance: the largest Hamming distance of the perceptual hashes, of 64.
        min_cosine: the smallest cosine of the vectors as the index holds them.
        progress: called after each block of photos with the number of photos done and of all.

    Returns:
        Pairs whose `first` and `second` are rows of the index (`index.keys`), by distance, equals by row.
        `duplicate_groups` puts them into groups.
    """
    hashes = np.asarray(index.hashes)
    near = _by_hash(hashes, min(max_distance, _SURELY_FOUND))
    index.index.make_direct_map()
    pairs: list[NDArray[np.int64]] = []
    cosines: list[NDArray[np.float32]] = []
    for start in range(0, len(index), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(index)))
        vectors = _vectors(index, rows)
        for candidates in (_neighbours(index, rows, vectors), near(rows)):
            # A pair may be met from both sides: it is kept with its smaller row first, and once in the end.
            both = np.sort(np.stack(candidates, axis=1), axis=1)
            both = both[(both[:, 0] < both[:, 1]) & (hamming(*hashes[both.T]) <= max_distance)]
            alike = (_vectors(index, both[:, 0]) * _vectors(index, both[:, 1])).sum(axis=1)
            pairs.append(both[alike >= min_cosine])
            cosines.append(alike[alike >= min_cosine])
        if progress is not None:
            progress(int(rows[-1]) + 1, len(index))
    found, where = np.unique(np.concatenate(pairs), axis=0, return_index=True)
    distances, alike = hamming(*hashes[found.T]), np.concatenate(cosines)[where]
    return [
        NearDuplicate(
            int(found[at, 0]), int(found[at, 1]), int(distances[at]), False, min(1.0, float(alike[at])), False
        )
        for at in np.argsort(distances, kind="stable")
    ]


def _vectors(index: QuickIndex, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The vectors as the index holds them, (n, c) of norm 1."""
    if not len(rows):
        return np.empty((0, index.index.d), np.float32)
    vectors = index.index.reconstruct_batch(rows)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _neighbours(
    index: QuickIndex, rows: NDArray[np.int64], vectors: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each row with its nearest neighbours, as two columns."""
    few = faiss.SearchParametersIVF(nprobe=min(_NEIGHBOURS, index.index.nlist))  # type: ignore[call-arg]
    _, found = index.index.search(vectors, min(_NEIGHBOURS + 1, len(index)), params=few)
    first = np.repeat(rows, found.shape[1])
    return first[found.ravel() >= 0], found.ravel()[found.ravel() >= 0]


def _by_hash(
    hashes: NDArray[np.uint64], distance: int
) -> Callable[[NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """What finds, for some rows, all rows whose hashes differ in at most so many bits, as two columns."""
    codes = np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 8)
    table = faiss.IndexBinaryMultiHash(64, _QUARTERS, 64 // _QUARTERS)
    table.nflip = distance // _QUARTERS
    table.add(codes)

    def near(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        limits, _, found = table.range_search(codes[rows], distance + 1)
        return np.repeat(rows, np.diff(limits.astype(np.int64))), found.astype(np.int64)

    return near


def write_duplicates(gallery: str, file: Path) -> int:
    """Write the near-duplicates of a gallery as a table, a pair a line.

    Args:
        gallery: as `place_of` takes it.
        file: CSV.

    Returns:
        How many pairs there are.

    Raises:
        StoreError: there is no such gallery, it is empty, or it lies on a server.
    """
    index = quick_index(gallery, least=1, behind=0)
    if index is None:
        raise StoreError("Near-duplicates are sought in galleries of LanceDB with photos in them.")
    pairs = find_duplicates(index)
    write_table(file, _COLUMNS, duplicate_rows(index, open_store(gallery), pairs))
    return len(pairs)


def duplicate_rows(
    index: QuickIndex, store: VectorStore, pairs: Sequence[NearDuplicate]
) -> Iterator[tuple[str, str, int, float]]:
    """The pairs as lines of a table: two paths, the bits in which the hashes differ, the cosine.

    Args:
        index: the one that the pairs were found in.
        store: the gallery.
        pairs: of `find_duplicates`; those of photos that are gone by now are left out.
    """
    for start in range(0, len(pairs), _BLOCK):
        some = pairs[start : start + _BLOCK]
        keys = {row: index.keys[row].decode() for pair in some for row in (pair.first, pair.second)}
        known = store.get(sorted(set(keys.values()))).select(["key", "path"]).to_pylist()
        path_of = {entry["key"]: entry["path"] for entry in known}
        for pair in some:
            first, second = path_of.get(keys[pair.first]), path_of.get(keys[pair.second])
            if first is not None and second is not None:
                yield first, second, pair.distance, round(pair.cosine, 4)
