"""Time how fast the answer follows a hand on the photo, in a headless Chromium.

    flowers benchmarks by_hand BUNDLE

The frame of *What if* is dragged to and fro over an example photo for some seconds, and the answers that arrive are
counted. The browser runs on the same cores as the app, without a graphics card; a visitor's does not.
"""

import argparse
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from flowers_core.inference.bundle import load_bundle
from scripts.dev.chromium import ARGUMENTS, chromium
from scripts.dev.running_app import running_app
from scripts.options.command import add_bundle_argument, at_least, run, verb_parser

# Moves of the hand a second, as a mouse reports them at least.
_MOVES = 60
# Writes down when each answer arrives.
_WATCH = """element => {
    window.arrived = []
    new MutationObserver(() => window.arrived.push(performance.now())).observe(element, { attributeFilter: ["src"] })
}"""


def main() -> None:
    """Parse the command line. Measure and print; nothing is recorded."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    with tempfile.TemporaryDirectory(prefix="flowers-by-hand-") as folder, running_app(Path(folder)) as address:
        arrived = _dragged(f"{address}/?photo=example&ask=What if&bundle={bundle.name}&precision=int8", options.seconds)
    gaps = [later - earlier for earlier, later in pairwise(arrived)]
    print(
        f"{bundle.name}, int8, {options.seconds} s of dragging: {len(arrived) / options.seconds:.1f} answers a second"
    )
    print(f"  between two answers: median {statistics.median(gaps):.0f} ms, longest {max(gaps):.0f} ms")


def _dragged(address: str, seconds: int) -> list[float]:
    """When answers arrived, in milliseconds, while the frame was dragged."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(address)
        canvas = page.locator(".hand canvas")
        canvas.wait_for(timeout=60_000)
        page.wait_for_timeout(2000)
        canvas.scroll_into_view_if_needed()
        place: Any = canvas.bounding_box()
        page.locator(".hand .seen img").evaluate(_WATCH)
        x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        end, moves = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            moves += 1
            page.mouse.move(x + place["width"] / 6 * ((moves % 120) / 60 - 1), y)
            page.wait_for_timeout(1000 / _MOVES)
        page.mouse.up()
        arrived = page.evaluate("window.arrived")
        browser.close()
    return list(arrived)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    parser.add_argument("--seconds", type=at_least(1), default=10, help="of dragging (default: 10)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
