"""Time a page of two hundred photos, and the way from a confusion to its photos.

    flowers benchmarks pages BUNDLE

Thumbnails of the photos are decoded, made and read from the cache, with interleaved timing. Then *Confusions* is run
whole, as after a click on a cell of the matrix. The time that the browser takes to lay it out comes on top.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flowers_core.data.open_dataset import open_dataset
from flowers_core.data.thumbnails import Thumbnails, shrunk
from flowers_core.evaluation.confusion_matrix import confusion_matrix, worst_pairs
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.bundle import load_bundle, predictions_file
from scripts.options.command import add_bundle_argument, add_data_option, at_least, run, verb_parser

PHOTOS = 200
_SIDE = 120
_MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"


def main() -> None:
    """Parse the command line. Measure and print, best of the rounds; nothing is recorded."""
    options = _parse()
    flowers = open_dataset(options.data)
    paths = [flowers.path(int(photo)) for photo in flowers.split_ids("test")[:PHOTOS]]
    took: dict[str, list[float]] = {"every photo decoded": [], "small copies made": [], "small copies kept": []}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="flowers-pages-") as folder:
            kept = Thumbnails(Path(folder))
            took["every photo decoded"].append(_seconds(lambda: [shrunk(path, _SIDE) for path in paths]))
            for name in ("small copies made", "small copies kept"):
                took[name].append(_seconds(partial(_all, kept, paths)))
    fastest = min(took["small copies kept"])
    print(f"{PHOTOS} photos, {_SIDE} pixels a side")
    for name, seconds in took.items():
        print(f"  {name:22} {min(seconds):7.3f} s  {min(seconds) / fastest:6.1f} times the last")

    os.environ["FLOWERS_DATA_DIR"] = str(options.data)
    for name, seconds in _pages(load_bundle(options.bundle).folder, options.rounds).items():
        print(f"{name:44} {min(seconds):7.3f} s")


def _pages(folder: Path, rounds: int) -> dict[str, list[float]]:
    # Streamlit is for the app; here the app itself is what is measured.
    from streamlit.testing.v1 import AppTest

    bundle = load_bundle(folder)
    bundle.require_unseen("test")
    taxonomy = bundle.taxonomy
    pairs = worst_pairs(confusion_matrix(load_predictions(bundle.path(predictions_file("test")), "int8")), 2)
    app = AppTest.from_file(_MAIN, default_timeout=120)
    app.run()
    app.switch_page("confusions/page.py")
    app.query_params["bundle"] = bundle.name
    app.query_params["many"] = str(PHOTOS)
    app.run()
    whole, cell = f"Confusions whole, {PHOTOS} photos", "from a cell to its photos and their maps"
    found: dict[str, list[float]] = {whole: [], cell: []}
    for turn in range(2 * rounds):
        app.selectbox(key="true").set_value(None)
        app.selectbox(key="called").set_value(None)
        app.toggle(key="beside").set_value(False)
        found[whole].append(_seconds(app.run))
        pair = pairs[turn % 2]
        app.selectbox(key="true").set_value(pair.true_label)
        app.selectbox(key="called").set_value(pair.predicted_label)
        app.toggle(key="beside").set_value(True)
        found[cell].append(_seconds(app.run))
        if app.exception:
            raise RuntimeError(f"The page {taxonomy[pair.true_label].name} failed: {app.exception[0].value}")
    return found


def _all(kept: Thumbnails, paths: list[Path]) -> list[bytes]:
    return [kept.get(path, _SIDE) for path in paths]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--rounds", type=at_least(1), default=5, help="times each is measured (default: 5)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
