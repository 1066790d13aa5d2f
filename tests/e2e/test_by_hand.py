"""What if, by hand, in a real browser: each edit is answered as the library answers it."""

import base64
import io
import re
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, expect

from app.elements.words import percent
from app.resources.data import example_photo
from flowers_core.data.edit import GRID, Edit, edited
from flowers_core.data.photos import read_photo
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.runtime import Runtime
from tests.e2e.conftest import watched
from tests.e2e.test_app import BUNDLE, no_trouble, settle, sticking_out

pytestmark = pytest.mark.e2e

PHOTO = read_photo(example_photo().read_bytes())
ADDRESS = "?photo=example&ask=What if&precision=int8"
#: What a cell of the brush and its radius are in the script.
RADIUS = 2.5


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(BUNDLE.path("int8.tflite"))


@pytest.fixture
def touch(browser: Browser, server: str) -> Iterator[Page]:
    """A narrow phone."""
    yield from watched(browser, 360, 740, has_touch=True)


def opened(page: Page, server: str) -> FloatRect:
    """Where the canvas lies in the window, once there is an answer beside it; without the map."""
    page.goto(f"{server}/{ADDRESS}")
    canvas = page.locator(".hand canvas")
    expect(canvas).to_be_visible()
    expect(page.locator(".hand .names li")).to_have_count(3)
    settle(page)
    page.get_by_label("Draw the map").uncheck()
    expect(page.locator(".hand .seen img")).to_have_attribute("alt", re.compile("^What the model sees: [^.]*$"))
    canvas.scroll_into_view_if_needed()
    settle(page)
    place = canvas.bounding_box()
    assert place is not None
    return place


def is_answered(page: Page, runtime: Runtime, edit: Edit) -> None:
    """The page comes to show what the library makes of the same edit."""
    seen = edited(PHOTO.pixels, edit, runtime.input_size)
    expected = open_answerer(BUNDLE, runtime).first_look(runtime.forward(seen[None]))
    shares = [percent(found.probability) for found in expected.top(3)]
    expect(page.locator(".hand")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".hand .names .share")).to_have_text(shares)
    content = page.locator(".hand .seen img").get_attribute("src")
    assert content is not None
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(content.partition(",")[2])))).astype(float)
    # In squares of 8 pixels, which JPEG keeps.
    apart = (shown - seen).reshape(len(seen) // 8, 8, -1, 8, 3).mean(axis=(1, 3))
    assert np.abs(apart).mean() < 1.5


def cells_around(x: float, y: float) -> np.ndarray:
    """The cells whose middle lies within the brush's radius of a point, in fractions of the photo."""
    across, down = PHOTO.width / GRID, PHOTO.height / GRID
    middles = (np.arange(GRID) + 0.5) / GRID
    far = np.hypot((middles[None] - x) * PHOTO.width, (middles[:, None] - y) * PHOTO.height)
    return far <= RADIUS * min(across, down)


def test_a_dragged_frame_is_answered_as_the_library_answers_it(page: Page, server: str, runtime: Runtime) -> None:
    place = opened(page, server)
    page.locator(".hand canvas").focus()
    for _ in range(5):
        page.keyboard.press("-")
    is_answered(page, runtime, Edit(side=round(1.1**-5, 4)))
    across, down = -place["width"] * 0.2, place["height"] * 0.1
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across, y + down, steps=12)
    page.mouse.up()
    is_answered(page, runtime, Edit(x=0.3, y=0.6, side=round(1.1**-5, 4)))
    no_trouble(page)


def test_what_is_brushed_away_is_answered_as_the_library_answers_it(page: Page, server: str, runtime: Runtime) -> None:
    place = opened(page, server)
    page.get_by_label("Brush", exact=True).check()
    brushed = np.zeros((GRID, GRID), bool)
    for x, y in ((0.45, 0.4), (0.52, 0.45)):
        page.mouse.click(place["x"] + x * place["width"], place["y"] + y * place["height"])
        brushed |= cells_around(x, y)
    is_answered(page, runtime, Edit(brushed=brushed))
    page.get_by_label("Brushed places show").select_option("the mean colour")
    is_answered(page, runtime, Edit(brushed=brushed, fill="mean"))
    page.get_by_role("button", name="Reset").click()
    is_answered(page, runtime, Edit())
    no_trouble(page)


def test_keys_alone_move_turn_size_brush_and_reset(page: Page, server: str, runtime: Runtime) -> None:
    opened(page, server)
    canvas = page.locator(".hand canvas")
    canvas.focus()
    for key in ("-", "-", "ArrowRight", "ArrowUp", "Shift+ArrowUp", "]", "]"):
        page.keyboard.press(key)
    width, height = canvas.evaluate("element => [element.width, element.height]")
    # Upright the frame cannot leave the photo: it was held at the upper edge before it was turned.
    x, y, side = 0.5 + 0.02 * height / width, 1.1**-2 / 2, 1.1**-2
    is_answered(page, runtime, Edit(x=round(x, 4), y=round(y, 4), side=round(side, 4), angle=10))
    page.keyboard.press("0")
    is_answered(page, runtime, Edit())
    page.get_by_label("Brush", exact=True).check()
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    is_answered(page, runtime, Edit(brushed=cells_around(0.5 - 1 / GRID, 0.5)))
    slider = page.get_by_label("Light")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    is_answered(page, runtime, Edit(light=0.95, brushed=cells_around(0.5 - 1 / GRID, 0.5)))
    no_trouble(page)


def test_a_finger_drags_the_frame_and_the_page_stays(touch: Page, server: str, runtime: Runtime) -> None:
    place = opened(touch, server)
    assert sticking_out(touch) == []
    assert place["width"] <= 360
    scrolled = "document.querySelector('[data-testid=stMain]').scrollTop"
    before = touch.evaluate(scrolled)
    finger = touch.context.new_cdp_session(touch)
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2

    def event(kind: str, *points: dict[str, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    event("touchStart", {"x": x, "y": y})
    for part in (0.2, 0.6, 1.0):
        event("touchMove", {"x": x - part * 0.1 * place["width"], "y": y + part * 40})
    event("touchEnd")
    is_answered(touch, runtime, Edit(x=0.4))
    assert touch.evaluate(scrolled) == before
    no_trouble(touch)
