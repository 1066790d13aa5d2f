"""Kinds of index, each filled with vectors, searched and weighed: what `flowers benchmarks gallery` prints."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from flowers_core.retrieval.synthetic_vectors import BLOCK, SyntheticVectors

K = 10
# Up to here an uncompressed index and a graph are tried as well.
_UNCOMPRESSED_BELOW = 10**5


@dataclass(frozen=True)
class Row:
    """One kind of index at one size.

    Attributes:
        vectors: in the gallery.
        index: the kind.
        recall_at_10: fraction of the ten nearest by all float32 cosines that the index finds, [0, 1].
        milliseconds: median of a query on one thread.
        bytes: of memory for a vector, with the index's tables and ids.
        build_seconds: to fill the index.
    """

    vectors: int
    index: str
    recall_at_10: float
    milliseconds: float
    bytes: float
    build_seconds: float


def measure_indexes(source: SyntheticVectors, size: int, queries: NDArray[np.float32]) -> Iterator[Row]:
    """Search a gallery of one size with every kind of index.

    Args:
        source: of the vectors.
        size: of the gallery.
        queries: (q, c) float32 of norm 1.
    """
    truth, scan = exact_neighbours(source, size, queries)
    c = source.dimension
    yield Row(size, "NumPy scan, float32", 1.0, scan, 4.0 * c, 0.0)
    if size <= _UNCOMPRESSED_BELOW:
        flat = faiss.IndexFlatIP(c)
        yield _row("FAISS Flat, float32", size, source, flat, lambda q: flat.search(q[None], K)[1][0], queries, truth)
    codes = faiss.IndexScalarQuantizer(c, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    codes.train(source.block(0))
    yield _row(
        "FAISS SQ8, one byte a value", size, source, codes, lambda q: codes.search(q[None], K)[1][0], queries, truth
    )
    if size <= _UNCOMPRESSED_BELOW:
        graph: Any = faiss.index_factory(c, "HNSW32,SQ8", faiss.METRIC_L2)
        graph.train(source.block(0))
        graph.hnsw.efSearch = 128
        yield _row("FAISS HNSW32,SQ8", size, source, graph, lambda q: graph.search(q[None], K)[1][0], queries, truth)


def exact_neighbours(
    source: SyntheticVectors, size: int, queries: NDArray[np.float32]
) -> tuple[NDArray[np.int64], float]:
    """The nearest neighbours by all float32 cosines.

    Args:
        source: of the vectors.
        size: of the gallery.
        queries: (q, c) float32 of norm 1.

    Returns:
        Positions of the K nearest of each query, (q, K), and the milliseconds that a NumPy scan takes for one query.
    """
    best = np.full((len(queries), K), -np.inf, np.float32)
    where = np.zeros((len(queries), K), np.int64)
    seconds = 0.0
    for number, block in enumerate(source.blocks(size)):
        cosines = queries @ block.T
        start = time.perf_counter()
        alone = block @ queries[0]
        np.argpartition(-alone, min(K, len(alone) - 1))
        seconds += time.perf_counter() - start
        both = np.concatenate([best, cosines], axis=1)
        positions = np.concatenate([where, np.tile(np.arange(len(block)) + number * BLOCK, (len(queries), 1))], axis=1)
        order = np.argsort(-both, axis=1, kind="stable")[:, :K]
        best, where = np.take_along_axis(both, order, 1), np.take_along_axis(positions, order, 1)
    return where, seconds * 1e3


def _row(
    name: str,
    size: int,
    source: SyntheticVectors,
    index: Any,
    answer: Callable[[NDArray[np.float32]], NDArray[np.int64]],
    queries: NDArray[np.float32],
    truth: NDArray[np.int64],
) -> Row:
    """Fill an index, ask it, weigh it. Drawing the vectors is not counted."""
    seconds = 0.0
    for block in source.blocks(size):
        start = time.perf_counter()
        index.add(block)
        seconds += time.perf_counter() - start
    found, milliseconds = _ask(answer, queries)
    weight = len(faiss.serialize_index(index))
    return Row(size, name, _recall(found, truth), milliseconds, weight / size, seconds)


def _ask(
    answer: Callable[[NDArray[np.float32]], NDArray[np.int64]], queries: NDArray[np.float32]
) -> tuple[list[NDArray[np.int64]], float]:
    answer(queries[0])
    found, times = [], []
    for query in queries:
        start = time.perf_counter()
        found.append(answer(query))
        times.append(time.perf_counter() - start)
    return found, float(np.median(times)) * 1e3


def _recall(found: list[NDArray[np.int64]], truth: NDArray[np.int64]) -> float:
    return float(np.mean([len(set(a.tolist()) & set(b.tolist())) / K for a, b in zip(found, truth, strict=True)]))
