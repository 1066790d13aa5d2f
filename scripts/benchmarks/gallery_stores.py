"""A large gallery in each store, filled, indexed, searched and weighed: what `flowers benchmarks gallery` prints."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flowers_core.reports.large_galleries import GalleryFigures, StoreFigures
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.stores.duplicates import find_duplicates
from flowers_core.retrieval.stores.entries import Hit, entries_of
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.quick_index import PROBES, QuickIndex
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.synthetic_vectors import BLOCK, SyntheticVectors
from scripts.benchmarks.machine import machine, resident_bytes

K = 10
#: Groups that a query looks through in the quick index: half as many as it does, as many, twice as many.
PROBED = (PROBES // 2, PROBES, 2 * PROBES)
_ASKED_OF_REAL = 1000


def measure_projection(gallery: Gallery, space: EmbeddingSpace) -> dict[str, float]:
    """What the projection costs, on real photos: of each the ten nearest others.

    Args:
        gallery: a bundle's.
        space: its projection.

    Returns:
        `recall_at_10`, the share of the nearest by whole embeddings that stay the nearest; and the share of nearest
        photos of the same class, by whole embeddings and after projection.
    """
    whole = gallery.vectors()
    asked = np.random.default_rng(0).choice(len(whole), min(_ASKED_OF_REAL, len(whole)), replace=False)
    before, after = (_others(vectors, asked) for vectors in (whole, space.project(whole)))
    same = [float((gallery.labels[found] == gallery.labels[asked, None]).mean()) for found in (before, after)]
    return {
        "recall_at_10": _shared(before.tolist(), after.tolist()),
        "same_class_whole": same[0],
        "same_class_projected": same[1],
    }


def measure_stores(
    source: SyntheticVectors, space: EmbeddingSpace, size: int, queries: NDArray[np.float32], folder: Path
) -> GalleryFigures:
    """Fill a gallery of one size and search it in every way.

    Args:
        source: of the embeddings.
        space: what the gallery's vectors are coordinates in.
        size: of the gallery.
        queries: (q, d) float32 of norm 1.
        folder: empty, for the stores.
    """
    nearest = Nearest(queries)
    codes = faiss.IndexScalarQuantizer(space.dimension, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    store = LanceStore.create(str(folder / "gallery"), space)
    adding = 0.0
    for number, embeddings in enumerate(source.blocks(size)):
        vectors = space.project(embeddings)
        nearest.look_at(vectors)
        if not codes.is_trained:
            codes.train(vectors)
        codes.add(vectors)
        start = time.perf_counter()
        store.add(_entries(vectors, number * BLOCK))
        adding += time.perf_counter() - start
    stores = [StoreFigures("NumPy scan, float32", 1.0, nearest.milliseconds, 4.0 * space.dimension, 0.0)]
    found, milliseconds = _ask(lambda query: codes.search(query[None], K)[1][0], queries)
    recall = _shared(nearest.rows.tolist(), [rows.tolist() for rows in found])
    stores.append(StoreFigures("FAISS SQ8, a scan", recall, milliseconds, len(faiss.serialize_index(codes)) / size, 0))
    start = time.perf_counter()
    index = QuickIndex.make(store, folder / "index")
    built = time.perf_counter() - start
    weight = len(faiss.serialize_index(index.index)) / size
    start = time.perf_counter()
    find_duplicates(index)
    duplicates = time.perf_counter() - start
    del index
    ways: list[tuple[str, Path, float | None, int]] = [
        (f"FAISS IVF-SQ8, {probes} groups a query", folder / "index", weight, probes) for probes in PROBED
    ]
    for name, where, bytes_, probes in (*ways, ("LanceDB, its own index", folder / "gallery", None, 0)):
        seconds = built if bytes_ else _indexed(store)
        keys, milliseconds, resident = _in_its_own_process(_searched, where, queries, probes)
        recall = _shared([[entry_key(row) for row in rows] for rows in nearest.rows.tolist()], keys)
        stores.append(StoreFigures(name, recall, milliseconds, bytes_, seconds, resident / 1e6))
    disk = sum(path.stat().st_size for path in (folder / "gallery").rglob("*") if path.is_file())
    return GalleryFigures(machine(), tuple(stores), adding, disk / size, duplicates)


class Nearest:
    """The nearest neighbours by all float32 cosines, block by block.

    Args:
        queries: (q, d) float32 of norm 1.

    Attributes:
        rows: (q, K) int64, positions of the nearest.
        milliseconds: that the scan takes for one query, as far as blocks were looked at.
    """

    def __init__(self, queries: NDArray[np.float32]) -> None:
        self._queries, self._best = queries, np.full((len(queries), K), -np.inf, np.float32)
        self.rows, self._seen, self.milliseconds = np.zeros((len(queries), K), np.int64), 0, 0.0

    def look_at(self, vectors: NDArray[np.float32]) -> None:
        """Take in the next block, (n, d)."""
        start = time.perf_counter()
        np.argpartition(-(vectors @ self._queries[0]), min(K, len(vectors) - 1))
        self.milliseconds += (time.perf_counter() - start) * 1e3
        both = np.concatenate([self._best, self._queries @ vectors.T], axis=1)
        positions = np.tile(np.arange(len(vectors)) + self._seen, (len(self._queries), 1))
        positions = np.concatenate([self.rows, positions], axis=1)
        order = np.argpartition(-both, K - 1, axis=1)[:, :K]
        self._best, self.rows = np.take_along_axis(both, order, 1), np.take_along_axis(positions, order, 1)
        self._seen += len(vectors)


def _entries(vectors: NDArray[np.float32], first: int) -> pa.Table:
    numbers = np.arange(first, first + len(vectors))
    return entries_of(
        vectors,
        key=[entry_key(number) for number in numbers.tolist()],
        path=[f"photos/{number}.jpg" for number in numbers.tolist()],
        label=numbers % 102 + 1,
        name=["a flower"] * len(vectors),
        confidence=np.full(len(vectors), 0.5),
        width=np.full(len(vectors), 640),
        height=np.full(len(vectors), 480),
        hash=np.random.default_rng(first).integers(0, 2**64, len(vectors), np.uint64),
        modified=np.zeros(len(vectors)),
    )


def entry_key(number: int) -> str:
    """The key of the entry of a number, as long as a real one."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def _indexed(store: LanceStore) -> float:
    start = time.perf_counter()
    store.make_index()
    return time.perf_counter() - start


def _in_its_own_process(call: Callable[..., Any], *arguments: Any) -> Any:
    # Spawned, so that it starts with nothing of this process' memory.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(call, *arguments).result()


def _searched(where: Path, queries: NDArray[np.float32], probes: int) -> tuple[list[list[str]], float, int]:
    """Keys that are found, milliseconds of a query, and the bytes of this process."""
    if probes:
        index = QuickIndex.load(where)
        found, milliseconds = _ask(lambda query: _keys(index.search(query[None], K, probes=probes)), queries)
    else:
        store = LanceStore.open(str(where))
        found, milliseconds = _ask(lambda query: _keys(store.search(query[None], K)), queries)
    return found, milliseconds, resident_bytes()


def _keys(hits: list[list[Hit]]) -> list[str]:
    return [hit.key for hit in hits[0]]


def _ask(answer: Callable[[NDArray[np.float32]], Any], queries: NDArray[np.float32]) -> tuple[list[Any], float]:
    answer(queries[0])
    found, times = [], []
    for query in queries:
        start = time.perf_counter()
        found.append(answer(query))
        times.append(time.perf_counter() - start)
    return found, float(np.median(times)) * 1e3


def _others(vectors: NDArray[np.float32], asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """The K nearest of some vectors among the others."""
    cosines = vectors[asked] @ vectors.T
    cosines[np.arange(len(asked)), asked] = -np.inf
    return np.argpartition(-cosines, K, axis=1)[:, :K]


def _shared(right: Sequence[Iterable[Any]], found: Sequence[Iterable[Any]]) -> float:
    return float(np.mean([len(set(a) & set(b)) / K for a, b in zip(right, found, strict=True)]))
