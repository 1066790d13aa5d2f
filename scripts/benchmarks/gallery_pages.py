"""Time the dashboard over a large gallery, in a browser on the same machine.

    flowers benchmarks gallery_pages BUNDLE --photos 1000000

The gallery is made first, from embeddings as `flowers benchmarks gallery` makes them, named by the bundle's own head.
Photos of the data set stand for the entries, so that cards have pictures. --keep DIR keeps the gallery:
`FLOWERS_GALLERY=DIR flowers app` shows it.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.reports.large_galleries import (
    LargeGalleryRecord,
    PageFigures,
    keep_large_galleries,
    pages_table,
)
from flowers_core.retrieval.stores.open_store import open_store
from flowers_core.retrieval.stores.space import DIMENSION
from scripts.benchmarks.machine import machine, peak_bytes
from scripts.benchmarks.synthetic_gallery import make_gallery
from scripts.dev.chromium import ARGUMENTS, chromium
from scripts.dev.running_app import ROOT, free_port, running, streamlit_command
from scripts.options.command import add_bundle_argument, add_data_option, add_record_options, at_least, run, verb_parser

UPLOADER = "[data-testid=stFileUploaderDropzoneInput]"
_DOTS = ".js-plotly-plot canvas"
# Of the map, in fractions of its width and height: the loop that is drawn.
_LOOP = ((0.3, 0.3), (0.6, 0.3), (0.6, 0.6), (0.3, 0.6), (0.3, 0.32))


def main() -> None:
    """Parse the command line, make the gallery, open the pages, print the figures and record them."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place = (options.keep or folder / "gallery").absolute()
        if not place.exists():
            dataset = OxfordFlowers(options.data)
            took = _seconds(lambda: make_gallery(bundle, options.photos, place, dataset))
            print(f"Making the gallery took {took:.0f} s.", flush=True)
        count = open_store(str(place)).count()
        figures = measure(bundle, place, count, folder)
    record = LargeGalleryRecord(bundle.name, DIMENSION, pages={str(count): figures})
    print(pages_table(record))
    if not options.no_record:
        print(f"Wrote {keep_large_galleries(record, options.models)}.")


def measure(bundle: Bundle, place: Path, count: int, scratch: Path) -> PageFigures:
    """What the pages over a gallery take, in a server and windows of their own.

    Args:
        bundle: the gallery's model.
        place: of the gallery.
        count: photos in it.
        scratch: takes the server's log.
    """
    from playwright.sync_api import sync_playwright

    port = free_port()
    address = f"http://localhost:{port}"
    settings = {"FLOWERS_GALLERY": str(place), "HOME": str(scratch), "FLOWERS_MODELS_DIR": str(bundle.folder.parent)}
    command = streamlit_command(ROOT / "app" / "main.py", port)
    with (
        running(command, scratch / "log.txt", f"{address}/_stcore/health", settings) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))

        def window() -> Any:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(120_000)
            return page

        def opened(path: str, *shown: Callable[[Any], object]) -> tuple[Any, float]:
            page = window()
            return page, _seconds(
                lambda: page.goto(f"{address}/{path}", wait_until="commit"), *(partial(step, page) for step in shown)
            )

        first = [opened("", lambda page: page.wait_for_selector(UPLOADER, state="attached"))[1] for _ in range(2)]
        _, neighbours = opened(
            f"?photo=example&bundle={bundle.name}&precision=int8&among=Your+gallery",
            lambda page: page.get_by_text(f"The nearest of {count:,}").wait_for(),
        )
        page, mapped = opened(
            f"dataset?show=Map&bundle={bundle.name}&whose=Your+gallery",
            lambda page: _said(page, f"{count:,} photos of your gallery"),
            lambda page: page.wait_for_selector(_DOTS),
        )
        closer = _loop_and_closer(page, count)
        held = (peak_bytes(server.pid) or 0) / 1e6
        browser.close()
    return PageFigures(machine(), tuple(first), neighbours, mapped, closer, held)


def _loop_and_closer(page: Any, count: int) -> tuple[float, float]:
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in _LOOP]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    loop = _seconds(page.mouse.up, lambda: _said(page, "photos lie within"))
    look = page.get_by_role("button", name="Look closer")
    return loop, _seconds(look.click, lambda: _said(page, f"of {count:,} photos of your gallery"))


def _said(page: Any, text: str) -> None:
    page.locator("[data-testid=stMarkdownContainer]", has_text=text).first.wait_for()


def _seconds(*steps: Callable[[], object]) -> float:
    """What some steps take, one after the other."""
    started = time.perf_counter()
    for step in steps:
        step()
    return time.perf_counter() - started


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--photos", type=at_least(1), default=10**6, metavar="N", help="in the gallery (default: 10⁶)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make it there, or take the one that is there")
    add_record_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
