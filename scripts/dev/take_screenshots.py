"""Take the README's pictures of the app: `python -m scripts.dev.take_screenshots --out docs`.

They show the photo that scikit-learn ships, on a machine without the data set, so that no photo of the data set gets
into them. Needs playwright (requirements-test.txt) and a Chromium: CHROMIUM, or one that is on the path.
"""

import argparse
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from scripts.dev.chromium import ARGUMENTS, chromium
from scripts.dev.running_app import ROOT, running_app
from scripts.options.command import run

WIDTH = 1200
MOST_BYTES = 400_000


def main() -> None:
    """Parse the command line, start the app, take a picture in light and one in dark."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.dev.take_screenshots", description="Take the README's pictures."
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs", metavar="DIR", help="where to (default: docs)")
    options = parser.parse_args()
    found = chromium()
    if found is None:
        sys.exit("There is no Chromium here. Install one, or set CHROMIUM to its path.")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit("Playwright is missing: pip install -r requirements-test.txt")

    options.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_app(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        for scheme in ("light", "dark"):
            path = options.out / f"identify-{scheme}.png"
            context = browser.new_context(color_scheme=scheme, viewport={"width": WIDTH, "height": 900})
            size = save(picture(context.new_page(), f"{address}/?photo=example"), path)
            print(f"{path} {size / 1000:.0f} kB")
        browser.close()


def picture(page: Any, address: str) -> Image.Image:
    """The page from its top down to the map and its legend.

    Args:
        page: the browser's.
        address: of the page.
    """
    page.goto(address)
    page.get_by_role("heading", name="What it resembles").wait_for(timeout=60_000)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').getAttribute('data-test-script-state') !== 'running'"
    )
    # Tall enough for all of it, so that nothing scrolls under the bar at the top.
    page.set_viewport_size({"width": WIDTH, "height": 2600})
    page.wait_for_timeout(1500)
    end = page.get_by_role("heading", name="What it resembles").bounding_box()["y"]
    content = page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": round(end) - 4})
    return Image.open(io.BytesIO(content)).convert("RGB")


def save(image: Image.Image, path: Path) -> int:
    """Write a PNG with a palette, with fewer colours where it would be too large.

    Args:
        image: the picture.
        path: of the PNG.

    Returns:
        The file's size in bytes.
    """
    for colours in (256, 192, 128, 96, 64):
        # Pillow dithers only towards a palette that it is given.
        palette = image.quantize(colours, method=Image.Quantize.MEDIANCUT)
        image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            return path.stat().st_size
    sys.exit(f"{path} is larger than {MOST_BYTES} bytes even with 64 colours.")


if __name__ == "__main__":
    run(main)
