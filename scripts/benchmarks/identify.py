"""Hold `flowers identify` against bare passes plus decoding on every core; watch its memory.

    flowers benchmarks identify efficientnet_lite0_joined ~/Pictures
    flowers benchmarks identify efficientnet_lite0_joined ~/Pictures --memory 10000

Both answer the same photos in turn, block by block, so that what else the machine does meets both. The bare side
decodes, resizes and makes the same passes, over the parts of a photo too where the whole leaves doubt, and does nothing
with what comes out. Target: 90 % of its speed. With --memory the photos are answered again and again until there are so
many, and the memory is read after the first thousand and at the end.
"""

import argparse
import itertools
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from flowers_core.data.model_input import model_input
from flowers_core.data.photo_folder import PhotoFolderError
from flowers_core.data.photos import open_photo
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.identify import as_row, identify, photos_below, table_header
from flowers_core.inference.multi_crop import crop_boxes, crop_inputs
from flowers_core.inference.runtime import open_runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.storage.table_lines import TableLines
from scripts.benchmarks.machine import cores, machine
from scripts.options.command import add_bundle_argument, at_least, progress, run, verb_parser

_FIRST = 1000


def main() -> None:
    """Parse the command line; print the ratio of the speeds, or how the memory grew."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    paths = list(itertools.islice(photos_below(options.paths), options.photos))
    if not paths:
        raise PhotoFolderError(f"There are no photos in {', '.join(map(str, options.paths))}.")
    if options.memory:
        first, last = _memory(bundle, paths, options.memory)
        print(f"{first:.0f} MB after {_FIRST} photos, {last:.0f} MB after {options.memory}.")
        return
    ratios = _ratios(bundle, paths, options.rounds)
    low, median, high = np.percentile(ratios, (10, 50, 90))
    print(f"{machine()}, {len(paths)} photos, {options.rounds} rounds:")
    print(
        f"{100 * median:.1f} % of the speed of bare passes (10th and 90th percentile {100 * low:.1f}, {100 * high:.1f})"
    )


def _ratios(bundle: Bundle, paths: list[Path], rounds: int) -> list[float]:
    """The bare side's seconds over those of the verb, for each round; before the first, both are warmed up."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cores()) as pool:
        runtime, rule = open_runtime(bundle, "int8", workers=cores()), bundle.crop_rule
        in_doubt = _name(bundle, paths, Path(folder) / "first.csv")

        def bare(path: Path) -> None:
            pixels = open_photo(path).pixels
            runtime.forward(model_input(pixels, rule).pixels[None])
            if path in in_doubt:
                runtime.forward(crop_inputs(pixels, crop_boxes(pixels.shape[1], pixels.shape[0]), rule))

        list(pool.map(bare, paths))
        found = []
        for turn in progress(range(rounds), "rounds"):
            begun = time.perf_counter()
            list(pool.map(bare, paths))
            between = time.perf_counter()
            _name(bundle, paths, Path(folder) / f"{turn}.csv")
            found.append((between - begun) / (time.perf_counter() - between))
        return found


def _name(bundle: Bundle, paths: list[Path], table: Path) -> set[Path]:
    """What the verb does between its options and its last word; the photos that took several looks."""
    several = set()
    with TableLines(table, table_header()) as rows:
        for found in identify(bundle, paths, prototypes=lambda: prototypes_of(bundle)):
            if found.error is None:
                rows.add(as_row(found, bundle.taxonomy, bundle.name))
            if found.looks is not None:
                several.add(found.path)
    return several


def _memory(bundle: Bundle, paths: list[Path], count: int) -> tuple[float, float]:
    """Megabytes that the process holds after the first thousand photos and at the end."""
    first = 0.0
    with tempfile.TemporaryDirectory() as folder, TableLines(Path(folder) / "names.csv", table_header()) as rows:
        again = itertools.islice(itertools.cycle(paths), count)
        named = identify(bundle, again, prototypes=lambda: prototypes_of(bundle))
        for done, found in enumerate(progress(named, "photos", count), start=1):
            if found.error is None:
                rows.add(as_row(found, bundle.taxonomy, bundle.name))
            if done == min(_FIRST, count):
                first = _resident()
    return first, _resident()


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a photo, or a folder with photos below it")
    parser.add_argument("--photos", type=at_least(1), default=200, help="of these at most so many (default: 200)")
    parser.add_argument("--rounds", type=at_least(1), default=7, help="through all photos (default: 7)")
    parser.add_argument("--memory", type=at_least(1), metavar="N", help="instead, answer N photos and watch the memory")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
