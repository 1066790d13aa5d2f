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
from dataclasses import replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from flowers_core.inference.bundle import BundleError, load_bundle, model_file
from flowers_core.reports.large_galleries import LargeGalleryRecord, keep_large_galleries, stores_table
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.stores.space import DIMENSION, EmbeddingSpace
from flowers_core.retrieval.synthetic_vectors import BLOCK, SyntheticVectors
from scripts.benchmarks.gallery_stores import measure_projection, measure_stores
from scripts.options.command import add_bundle_argument, add_record_options, at_least, run, verb_parser


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
    record = LargeGalleryRecord(bundle.name, options.dimension, projection)
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, threadpool_limits(options.threads):
            figures = measure_stores(source, space, size, queries, Path(folder))
        of_size = replace(record, galleries={str(size): figures})
        print(stores_table(of_size), flush=True)
        print(
            f"LanceDB: {figures.adding_seconds:.1f} s to add in calls of {BLOCK}, {figures.disk_bytes:.0f} bytes a "
            f"photo on disk; duplicates: {figures.duplicates_seconds:.1f} s",
            flush=True,
        )
        if not options.no_record:
            print(f"Wrote {keep_large_galleries(of_size, options.models)}.", flush=True)


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
    add_record_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
