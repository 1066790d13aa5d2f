"""Search galleries of ten and a hundred thousand photos with every kind of index.

    flowers benchmarks gallery BUNDLE

The vectors are made from a bundle's real embeddings: a photo's own, plus half the difference of two photos of one
class, cut off at zero as the network's are. So they lie where photos lie, in classes, and vary as photos of a class do;
of many such vectors the tenth neighbour's cosine is about 0.9. They are drawn block by block from a seed and never
held whole. Everything runs on one thread; recall@10 is held against all float32 cosines.

Bytes in memory are all that an index takes, tables and ids included. Every index is a scan or a graph over all vectors:
what serves far larger galleries is not built here.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.storage.files import write_json
from scripts.benchmarks.turns import machine
from scripts.options.command import add_bundle_argument, at_least, run, verb_parser

K = 10
_BLOCK = 10_000
_SPREAD = 0.5
# Up to here an uncompressed index and a graph are tried as well.
_UNCOMPRESSED_BELOW = 10**5
_QUERY_BLOCK = 10**6  # far beyond the blocks of any gallery


@dataclass(frozen=True)
class Row:
    """One way of searching at one size.

    milliseconds: median a query on one thread. bytes: memory a vector.
    """

    vectors: int
    way: str
    recall_at_10: float
    milliseconds: float
    bytes: float
    build_seconds: float


class Likenesses:
    """An endless, repeatable row of unit vectors that have the statistics of a gallery's."""

    def __init__(self, gallery: Gallery, seed: int = 0) -> None:
        self._vectors, self._seed = gallery.vectors(), seed
        order = np.argsort(gallery.labels, kind="stable")
        self._by_class, labels = order, gallery.labels[order]
        self._first = np.searchsorted(labels, gallery.labels, side="left")
        self._size = np.searchsorted(labels, gallery.labels, side="right") - self._first
        self.dimension = gallery.dimension

    def block(self, number: int, count: int = _BLOCK) -> NDArray[np.float32]:
        """The first `count` vectors of a block, (count, c) float32 of norm 1; the same whenever asked for."""
        rng = np.random.default_rng((self._seed, number))
        self_, one = rng.integers(0, len(self._vectors), (2, _BLOCK))[:, :count]
        other = self._by_class[self._first[one] + (rng.random(_BLOCK)[:count] * self._size[one]).astype(np.int64)]
        made = np.maximum(self._vectors[self_] + _SPREAD * (self._vectors[one] - self._vectors[other]), 0)
        return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)

    def blocks(self, count: int) -> Iterator[NDArray[np.float32]]:
        """`count` vectors, block by block."""
        for number, start in enumerate(range(0, count, _BLOCK)):
            yield self.block(number, min(_BLOCK, count - start))

    def queries(self, count: int) -> NDArray[np.float32]:
        """Vectors of the same kind that are in no gallery."""
        return self.block(_QUERY_BLOCK, count)


def main() -> None:
    """Parse the command line. Measure every way at every size and print the table as it grows."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise BundleError(f"'{bundle.name}' has no gallery yet; `flowers build_gallery` makes it.")
    source = Likenesses(Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE)))
    asked = source.queries(min(options.queries, _BLOCK))
    rows: list[Row] = []
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    print(f"{'vectors':>9}  {'way':44} {'recall@10':>9} {'ms':>8} {'bytes':>7} {'build s':>8}")
    try:
        with threadpool_limits(1):
            for size in options.sizes:
                for row in _measure(source, size, asked):
                    rows.append(row)
                    print(
                        f"{row.vectors:9}  {row.way:44} {row.recall_at_10:9.3f} {row.milliseconds:8.2f} "
                        f"{row.bytes:7.0f} {row.build_seconds:8.1f}",
                        flush=True,
                    )
    finally:
        faiss.omp_set_num_threads(before)
    if options.out:
        write_json(options.out, {"machine": machine(), "threads": 1, "rows": [asdict(row) for row in rows]})


def _measure(source: Likenesses, size: int, asked: NDArray[np.float32]) -> Iterator[Row]:
    truth, scan = _exact(source, size, asked)
    c = source.dimension
    yield Row(size, "NumPy scan, float32", 1.0, scan, 4.0 * c, 0.0)
    if size <= _UNCOMPRESSED_BELOW:
        flat = faiss.IndexFlatIP(c)
        yield _row("FAISS Flat, float32", size, source, flat, lambda q: flat.search(q[None], K)[1][0], asked, truth)
    codes = faiss.IndexScalarQuantizer(c, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    codes.train(source.block(0))
    yield _row(
        "FAISS SQ8, one byte a value", size, source, codes, lambda q: codes.search(q[None], K)[1][0], asked, truth
    )
    if size <= _UNCOMPRESSED_BELOW:
        graph: Any = faiss.index_factory(c, "HNSW32,SQ8", faiss.METRIC_L2)
        graph.train(source.block(0))
        graph.hnsw.efSearch = 128
        way = "FAISS HNSW32,SQ8"
        yield _row(way, size, source, graph, lambda q: graph.search(q[None], K)[1][0], asked, truth)


def _exact(source: Likenesses, size: int, asked: NDArray[np.float32]) -> tuple[NDArray[np.int64], float]:
    """Positions of the K nearest of each query, (q, K), and the milliseconds that a NumPy scan takes for one query."""
    best = np.full((len(asked), K), -np.inf, np.float32)
    where = np.zeros((len(asked), K), np.int64)
    seconds = 0.0
    for number, block in enumerate(source.blocks(size)):
        cosines = asked @ block.T
        start = time.perf_counter()
        alone = block @ asked[0]
        np.argpartition(-alone, min(K, len(alone) - 1))
        seconds += time.perf_counter() - start
        both = np.concatenate([best, cosines], axis=1)
        places = np.concatenate([where, np.tile(np.arange(len(block)) + number * _BLOCK, (len(asked), 1))], axis=1)
        order = np.argsort(-both, axis=1, kind="stable")[:, :K]
        best, where = np.take_along_axis(both, order, 1), np.take_along_axis(places, order, 1)
    return where, seconds * 1e3


def _row(
    way: str,
    size: int,
    source: Likenesses,
    index: Any,
    answer: Callable[[NDArray[np.float32]], NDArray[np.int64]],
    asked: NDArray[np.float32],
    truth: NDArray[np.int64],
) -> Row:
    """Fill an index, ask it, weigh it. Drawing the vectors is not counted."""
    seconds = 0.0
    for block in source.blocks(size):
        start = time.perf_counter()
        index.add(block)
        seconds += time.perf_counter() - start
    found, milliseconds = _ask(answer, asked)
    weight = len(faiss.serialize_index(index))
    return Row(size, way, _recall(found, truth), milliseconds, weight / size, seconds)


def _ask(
    answer: Callable[[NDArray[np.float32]], NDArray[np.int64]], asked: NDArray[np.float32]
) -> tuple[list[NDArray[np.int64]], float]:
    answer(asked[0])
    found, times = [], []
    for query in asked:
        start = time.perf_counter()
        found.append(answer(query))
        times.append(time.perf_counter() - start)
    return found, float(np.median(times)) * 1e3


def _recall(found: list[NDArray[np.int64]], truth: NDArray[np.int64]) -> float:
    return float(np.mean([len(set(a.tolist()) & set(b.tolist())) / K for a, b in zip(found, truth, strict=True)]))


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument(
        "--sizes",
        type=at_least(1),
        nargs="+",
        default=[10**4, 10**5],
        metavar="N",
        help="vectors in each gallery",
    )
    parser.add_argument("--queries", type=at_least(1), default=200, metavar="N", help="questions (default: 200)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
