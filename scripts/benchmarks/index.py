"""Hold `flowers index` against the bare cost of its photos, and two workers against one.

    flowers benchmarks index efficientnet_lite0_joined ~/Pictures

The bare side reads, decodes and resizes a photo and makes the INT8 pass, in a plain loop that does nothing with what
comes out. A worker's side is all that it does with a shard, its file included; both take the same photos in turn, shard
by shard, in one process. Target: 90 % of the bare speed. Then the same shards go to one worker and to several in turn,
by the rolling window of `flowers index`. Their efficiency is the time of one, over that of several times their number;
the bare loop in as many processes says what the machine itself allows. Target: 85 %.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.indexing.shards import shards_of
from flowers_core.indexing.sources import find_sources
from flowers_core.inference.bundle import load_bundle
from flowers_core.storage.files import write_json
from scripts.benchmarks.index_workers import measure
from scripts.benchmarks.machine import cores
from scripts.options.command import add_bundle_argument, at_least, run, verb_parser


def main() -> None:
    """Parse the command line, measure, and print."""
    options = _parse()
    sources = [source for source in find_sources(options.paths) if not source.is_tar][: options.photos]
    if not sources:
        raise PhotoFolderError(f"There are no photos in {', '.join(options.paths)}.")
    shards = list(shards_of(sources, options.shard_size))
    figures = measure(load_bundle(options.bundle), shards, options.workers, options.rounds)
    print(f"{figures.machine}, {figures.photos} photos, {figures.rounds} rounds:")
    print(f"one worker: {100 * figures.of_bare:.1f} % of the speed of bare passes, {figures.worker_megabytes} MB")
    print(
        f"{figures.workers} workers: {figures.photos_a_second:.1f} photos a second, efficiency "
        f"{100 * figures.efficiency:.1f} % (bare loops: {100 * figures.bare_efficiency:.1f} %)"
    )
    if options.out:
        write_json(options.out, asdict(figures))


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="a photo, or a folder with photos below it")
    add("--photos", type=at_least(1), default=400, metavar="N", help="of these at most so many (400)")
    add("--shard-size", type=at_least(1), default=25, metavar="N", help="photos in a shard (25)")
    add("--workers", type=at_least(2), default=max(2, cores()), metavar="N", help="several (one a core)")
    add("--rounds", type=at_least(1), default=5, metavar="N", help="in which workers take turns (5)")
    add("--out", type=Path, metavar="FILE", help="write the figures there as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
