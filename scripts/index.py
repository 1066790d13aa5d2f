"""Index photos of one's own, up to many millions, for a gallery that finds the ones like a photo.

    flowers index ~/Pictures --gallery home
    flowers index s3://herbarium/sheets packed-{000..099}.tar --gallery herbarium --scheduler tcp://10.0.0.1:8786

A PATH is a photo, a folder, a tar of photos, or a URL that fsspec opens. Photos are embedded in shards of about a
thousand, each a file that is whole or not there; the same call goes on after a break, and takes in what is new. A photo
that cannot be read is named on standard error and left out; the exit code is 1 then. Photos that are the same byte for
byte are one entry. The work is done by processes of this machine, or with --scheduler by the workers of a dask cluster,
which must see the photos, the model and the folder of shards under the same paths. No TensorFlow is needed.
"""

import argparse
from collections import Counter
from pathlib import Path

from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.indexing.adding import add_shards
from flowers_core.indexing.embed import index_shards, space_of
from flowers_core.indexing.shards import Embedded
from flowers_core.indexing.sources import find_sources
from flowers_core.indexing.window import GivenUp
from flowers_core.indexing.workers import Workers, cluster_workers, local_workers
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.retrieval.stores.duplicates import write_duplicates
from flowers_core.retrieval.stores.gallery_map import keep_map
from flowers_core.retrieval.stores.open_store import (
    WORTH_AN_INDEX,
    create_store,
    index_folder,
    place_of,
    quick_index,
)
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.storage.files import locked
from scripts.benchmarks.machine import cores
from scripts.options.command import add_answering_option, at_least, progress, run, verb_parser
from scripts.options.left_out import LeftOut

# Small collections are cut finer, so that every worker has some and the time left is known soon.
_LARGEST, _SMALLEST, _SHARDS_A_WORKER = 1000, 25, 8


def main() -> None:
    """Parse the command line, embed what is new, and add it to the gallery."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    # A gallery that another model made is refused here.
    store = create_store(options.gallery, space_of(bundle))
    options.shards.mkdir(parents=True, exist_ok=True)
    left_out = LeftOut()
    with locked(options.shards):
        before = Embedded(options.shards)
        _embed(options, bundle, store.space, before, left_out)
        add_shards(options.shards, store, progress)
        now = Embedded(options.shards)
        index = quick_index(
            options.gallery, WORTH_AN_INDEX, starting=lambda: print("Making the quick index.", flush=True)
        )
        if index is not None:
            keep_map(bundle, index, store.space, index_folder(place_of(options.gallery)))
    new, same = now.photos - before.photos, now.photos - now.distinct
    print(f"{new:,} photos embedded, {before.photos:,} were before; {same:,} of them all are the same file as another.")
    print(f"The gallery '{options.gallery}' holds {store.count():,} photos.")
    if options.duplicates:
        pairs = write_duplicates(options.gallery, options.duplicates)
        counted = "One pair" if pairs == 1 else f"{pairs:,} pairs"
        print(f"{counted} of photos with the same picture: {options.duplicates}")
    left_out.leave(new + left_out.photos)


def _embed(
    options: argparse.Namespace, bundle: Bundle, space: EmbeddingSpace, before: Embedded, left_out: LeftOut
) -> None:
    """Embed what is not embedded yet. Places are walked twice rather than kept: a million URIs are many megabytes."""
    found = Counter((source.is_tar, source in before) for source in find_sources(options.paths))
    if not found:
        raise PhotoFolderError(f"There are no photos in {', '.join(options.paths)}.")
    photos, tars = found[False, False], found[True, False]
    if not photos + tars:
        return
    workers = cluster_workers(options.scheduler) if options.scheduler else local_workers(options.workers)
    size = options.shard_size or _shard_size(photos, workers)
    missing = (source for source in find_sources(options.paths) if source not in before)
    done = index_shards(missing, workers, options.shards, bundle=bundle, space=space, size=size)
    for shard in progress(done, "shards", -(-photos // size) + tars):
        if isinstance(shard, GivenUp):
            first, count = shard.thing.sources[0].uri, len(shard.thing.sources)
            again = " Call again with a smaller --shard-size to save the others." if count > 1 else ""
            left_out.say(f"{count} photos from {first} on: each worker that read them died.{again}", count)
        else:
            for photo in shard.left_out:
                left_out.say(f"{photo.uri}: {photo.sentence}")


def _shard_size(photos: int, workers: Workers) -> int:
    return min(_LARGEST, max(_SMALLEST, photos // (_SHARDS_A_WORKER * max(1, workers.count()))))


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a photo, a folder, a tar, or a URL of one")
    add("--gallery", required=True, metavar="NAME", help="its name, a folder, or a URI such as s3://bucket/name")
    add_answering_option(parser)
    add("--scheduler", metavar="ADDRESS", help="of a dask scheduler, whose workers do the work")
    add("--workers", type=at_least(1), default=cores(), metavar="N", help="processes (default: one for each core)")
    add("--shard-size", type=at_least(1), metavar="N", help="photos in a shard (default: at most 1000)")
    add("--shards", type=Path, metavar="DIR", help="folder of the shards (default: in the gallery's)")
    add("--duplicates", type=Path, metavar="FILE", help="write a table of near-duplicates in the gallery, as CSV")
    options = parser.parse_args()
    place = place_of(options.gallery)
    if options.shards is None and "://" in place:
        parser.error("a gallery in a bucket needs --shards: a folder that all workers see")
    options.shards = (options.shards or Path(place) / "shards").absolute()
    return options


if __name__ == "__main__":
    run(main)
