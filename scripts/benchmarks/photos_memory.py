"""Measure how much memory `flowers train --photos` takes for many photos.

    flowers benchmarks photos_memory 5000 20000

For each number, as many small photos are drawn, in 20 classes, and a process of its own makes a bundle of them with
inputs of 32 pixels. What grows with the number of photos is the same for large photos: their embeddings have 1280
values whatever the size, and photos are read a few at a time.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from scripts.benchmarks.machine import peak_bytes
from scripts.options.command import at_least, run, verb_parser

_CLASSES, _SIDE = 20, 48
_EVERY = 0.2  # seconds between two looks at the process


def main() -> None:
    """Parse the command line; draw, train and print the peak of each number of photos."""
    parser = verb_parser(__doc__)
    parser.add_argument("photos", type=at_least(5 * _CLASSES), nargs="+", help="how many, at least 100")
    for count in parser.parse_args().photos:
        with TemporaryDirectory(prefix="flowers-photos-memory-") as folder:
            draw_photos(Path(folder) / "photos", count)
            peak, seconds = peak_of_training(Path(folder))
        print(f"{count} photos: {peak / 2**30:.2f} GiB at most, {seconds / 60:.1f} min", flush=True)


def draw_photos(folder: Path, count: int) -> None:
    """Draw noisy photos, no two alike, in folders of classes of which each has its colour.

    Args:
        folder: made.
        count: how many.
    """
    generator = np.random.default_rng(0)
    colours = generator.integers(0, 160, (_CLASSES, 3))
    for number in range(count):
        of_class = folder / f"{number % _CLASSES:02d}"
        of_class.mkdir(parents=True, exist_ok=True)
        coarse = generator.integers(0, 96, (12, 12, 3)) + colours[number % _CLASSES]
        photo = Image.fromarray(coarse.astype(np.uint8)).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        photo.save(of_class / f"{number}.jpg", quality=80)


def peak_of_training(folder: Path) -> tuple[int, float]:
    """Peak resident memory in bytes (0 where Linux does not tell) and seconds of a training on a folder's `photos`."""
    words = ("--photos", f"{folder}/photos", "--out", f"{folder}/models/many", "--size", "32")
    kept = ("--runs", f"{folder}/runs", "--cache", f"{folder}/cache")
    begun = time.perf_counter()
    process, peak = subprocess.Popen([sys.executable, "-m", "scripts.train", *words, *kept]), 0
    while process.poll() is None:
        peak = peak_bytes(process.pid) or peak
        time.sleep(_EVERY)
    if process.returncode:
        sys.exit("The training failed.")
    return peak, time.perf_counter() - begun


if __name__ == "__main__":
    run(main)
