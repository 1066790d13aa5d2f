"""Search large galleries of ten and a hundred thousand photos in each store.

    flowers benchmarks gallery BUNDLE

The embeddings are made from a bundle's real ones (`flowers_core.retrieval.synthetic_vectors`), projected as a large
gallery projects them, drawn block by block from a seed and never held whole. Queries run on one thread, each alone.
Recall@10 is measured against all float32 cosines after projection; what the projection itself costs is measured on the
bundle's real photos and said first. Each store is opened and searched in a process of its own.

Bytes are what an index takes in memory, tables and numbers included. Qdrant is left out: its client's local mode is a
scan that is not meant for so many, and a server is another machine's measurement.
"""

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

from threadpoolctl import threadpool_limits

from flowers_core.inference.bundle import BundleError, load_bundle, model_file
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.stores.space import DIMENSION, EmbeddingSpace
from flowers_core.retrieval.synthetic_vectors import BLOCK, SyntheticVectors
from flowers_core.storage.files import write_json
from scripts.benchmarks.gallery_stores import Row, measure_projection, measure_stores
from scripts.benchmarks.machine import machine
from scripts.options.command import add_bundle_argument, at_least, run, verb_parser


def main() -> None:
    """Parse the command line. Measure every store at every size and print the table as it grows."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise BundleError(f"'{bundle.name}' has no gallery yet; `flowers build_gallery` makes it.")
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    space = EmbeddingSpace.of(gallery, bundle.digest(model_file("int8")) or "", options.dimension)
    projection = measure_projection(gallery, space)
    print(
        f"{space.size} values projected to {space.dimension}: of ten nearest {projection['recall_at_10']:.3f} stay; "
        f"of the same class are {projection['same_class_projected']:.3f}, "
        f"before projection {projection['same_class_whole']:.3f}."
    )
    source = SyntheticVectors(gallery)
    queries = space.project(source.queries(min(options.queries, BLOCK)))
    rows: list[Row] = []
    print(f"{'vectors':>9}  {'store':28} {'recall@10':>9} {'ms':>8} {'bytes':>7} {'build s':>8} {'process MB':>11}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, threadpool_limits(options.threads):
            for row in measure_stores(source, space, size, queries, Path(folder)):
                rows.append(row)
                print(_line(row), flush=True)
    if options.out:
        write_json(options.out, {"machine": machine(), "projection": projection, "rows": [asdict(row) for row in rows]})


def _line(row: Row) -> str:
    weight = "" if row.bytes is None else f"{row.bytes:.0f}"
    process = "" if row.process_megabytes is None else f"{row.process_megabytes:.0f}"
    return (
        f"{row.vectors:9}  {row.store:28} {row.recall_at_10:9.3f} {row.milliseconds:8.2f} {weight:>7} "
        f"{row.build_seconds:8.1f} {process:>11}"
    )


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
    parser.add_argument("--dimension", type=at_least(1), default=DIMENSION, metavar="D", help="values after projection")
    parser.add_argument("--queries", type=at_least(1), default=200, metavar="N", help="queries (default: 200)")
    parser.add_argument("--threads", type=at_least(1), default=2, metavar="N", help="threads that build (default: 2)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the stores are made, 1 KB a vector")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
