"""Take the README's pictures of the app's pages: `python -m scripts.dev.take_screenshots --out docs`.

They show the example photos, on a machine without the data set, so that no photo gets into them whose licence is not
open. Needs playwright (requirements-test.txt) and a Chromium: CHROMIUM, or one that is on the path.
"""

import argparse
import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageChops

from scripts.dev.chromium import ARGUMENTS, chromium
from scripts.dev.running_app import ROOT, running_app
from scripts.options.command import run

WIDTH = 1200
# Of a page that is longer, the picture ends here.
TALLEST = 1100
MARGIN = 32
MOST_BYTES = 400_000
EXAMPLES = ROOT / "app" / "example"
_UPLOADER = "[data-testid=stFileUploaderDropzoneInput]"


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes:
        name: of its file, without the scheme and the ending.
        path: the page's address below the app's.
        shown: the heading that says that the page is there.
        ends_before: the heading below the picture; "" for one that ends at TALLEST.
        files: example photos that are given to the page.
        schemes: "light", "dark" or both.
    """

    name: str
    path: str
    shown: str
    ends_before: str = ""
    files: tuple[str, ...] = ()
    schemes: tuple[Literal["light", "dark"], ...] = ("light",)


SHOTS = (
    Shot("identify", "?photo=example", "What it resembles", "What it resembles", schemes=("light", "dark")),
    Shot("several-photos", "", "Photo 1 of 3 alone", "Photo 1 of 3 alone", ("osteospermum", "daisies", "purple-daisy")),
    Shot("many-photos", "many", "Many photos", "", ("dahlia", "poppies", "daisies", "mushrooms", "coffee")),
    Shot("confusions", "confusions", "Where it goes wrong"),
    Shot("models", "models", "The models"),
    Shot("dataset", "dataset?show=Map", "What the models learned from"),
    Shot("patterns", "patterns", "What the model tells apart"),
)


def main() -> None:
    """Parse the command line, start the app, take a picture of each page."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.dev.take_screenshots", description="Take the README's pictures."
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs", metavar="DIR", help="where to (default: docs)")
    parser.add_argument("--only", choices=[shot.name for shot in SHOTS], help="one of them, by its name")
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
        for shot in (shot for shot in SHOTS if options.only in (None, shot.name)):
            for scheme in shot.schemes:
                path = options.out / f"{shot.name}-{scheme}.png"
                context = browser.new_context(color_scheme=scheme, viewport={"width": WIDTH, "height": 900})
                size = save(picture(context.new_page(), address, shot), path)
                print(f"{path} {size / 1000:.0f} kB")
                context.close()
        browser.close()


def picture(page: Any, address: str, shot: Shot) -> Image.Image:
    """A page from its top down.

    Args:
        page: the browser's.
        address: of the app.
        shot: what is to be seen.
    """
    page.goto(f"{address}/{shot.path}")
    if shot.files:
        page.locator(_UPLOADER).wait_for(state="attached", timeout=60_000)
        page.set_input_files(_UPLOADER, [EXAMPLES / f"{name}.jpg" for name in shot.files])
        page.get_by_text(f"{shot.files[-1]}.jpg").last.wait_for(state="attached", timeout=60_000)
    page.get_by_role("heading", name=shot.shown).wait_for(timeout=60_000)
    page.locator("[data-testid=stProgress]").wait_for(state="detached", timeout=60_000)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').getAttribute('data-test-script-state') !== 'running'"
    )
    # Tall enough for all of it, so that nothing scrolls under the bar at the top.
    page.set_viewport_size({"width": WIDTH, "height": 2600})
    page.wait_for_timeout(2500)
    end = page.get_by_role("heading", name=shot.ends_before).bounding_box()["y"] if shot.ends_before else TALLEST
    content = page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": round(end) - 4})
    image = Image.open(io.BytesIO(content)).convert("RGB")
    # A short page ends a little below its last line.
    empty = Image.new("RGB", image.size, image.getpixel((4, image.height - 1)))
    drawn = ImageChops.difference(image, empty).getbbox()
    return image.crop((0, 0, WIDTH, min(image.height, (drawn[3] if drawn else 0) + MARGIN)))


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
