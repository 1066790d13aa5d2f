"""Search galleries of ten and a hundred thousand photos with every kind of index.

    flowers benchmarks gallery BUNDLE

The vectors are made from a bundle's real embeddings (`flowers_core.retrieval.synthetic_vectors`); the cosine of the
tenth neighbour of many is about 0.9. They are drawn block by block from a seed and never held whole. Everything runs on
one thread. Recall@10 is measured against all float32 cosines.

Bytes are all that an index takes in memory, tables and ids included. Every index is a scan or a graph over all vectors;
what serves far larger galleries is not built here.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import faiss
from threadpoolctl import threadpool_limits

from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.synthetic_vectors import BLOCK, SyntheticVectors
from flowers_core.storage.files import write_json
from scripts.benchmarks.gallery_indexes import Row, measure_indexes
from scripts.benchmarks.machine import machine
from scripts.options.command import add_bundle_argument, at_least, run, verb_parser


def main() -> None:
    """Parse the command line. Measure every index at every size and print the table as it grows."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise BundleError(f"'{bundle.name}' has no gallery yet; `flowers build_gallery` makes it.")
    source = SyntheticVectors(Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE)))
    queries = source.queries(min(options.queries, BLOCK))
    rows: list[Row] = []
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    print(f"{'vectors':>9}  {'index':44} {'recall@10':>9} {'ms':>8} {'bytes':>7} {'build s':>8}")
    try:
        with threadpool_limits(1):
            for size in options.sizes:
                for row in measure_indexes(source, size, queries):
                    rows.append(row)
                    print(
                        f"{row.vectors:9}  {row.index:44} {row.recall_at_10:9.3f} {row.milliseconds:8.2f} "
                        f"{row.bytes:7.0f} {row.build_seconds:8.1f}",
                        flush=True,
                    )
    finally:
        faiss.omp_set_num_threads(before)
    if options.out:
        write_json(options.out, {"machine": machine(), "threads": 1, "rows": [asdict(row) for row in rows]})


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
    parser.add_argument("--queries", type=at_least(1), default=200, metavar="N", help="queries (default: 200)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
