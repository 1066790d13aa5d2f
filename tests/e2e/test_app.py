"""The app as a person meets it, in a real browser."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as PolygonPath
from playwright.sync_api import FloatRect, Page, expect

from app.elements.words import capital, percent
from app.identify.crop_choice import pixels_of
from app.resources.data import example_photo
from flowers_core.data.crops import crop_photo
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import Photo, read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.retrieval.projection import PROJECTION_FILE, load_projection
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.shipped import TESTED

pytestmark = pytest.mark.e2e

UPLOADER = "[data-testid=stFileUploaderDropzoneInput]"
PAGES = {
    "": "Which flower is this?",
    "many": "Many photos",
    "confusions": "Where it goes wrong",
    "patterns": "What the model tells apart",
    "models": "The models",
    "dataset": "What the models learned from",
    "test-yourself": "Test yourself",
}
BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
TAXONOMY = load_taxonomy()


def settle(page: Page) -> None:
    """Wait until the server has nothing left to draw."""
    page.wait_for_timeout(300)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').getAttribute('data-test-script-state') !== 'running'"
    )
    page.wait_for_timeout(200)


def upload_example(page: Page) -> None:
    page.set_input_files(UPLOADER, example_photo())


def no_trouble(page: Page) -> None:
    assert page.locator("[data-testid=stException]").count() == 0


def plot_frame(page: Page) -> FloatRect:
    """Where the first plot's area lies in the window, once it is drawn and in sight."""
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    expect(plot).to_be_visible()
    settle(page)
    plot.scroll_into_view_if_needed()
    frame = plot.bounding_box()
    assert frame is not None
    return frame


def sticking_out(page: Page) -> list[str]:
    """What reaches beyond the window's right edge: the page as a whole, photos, texts and controls.

    A page lies wider until its fonts and style are there, so it is asked again for some seconds.
    """
    for _ in range(20):
        found = _sticking_out_now(page)
        if not found:
            break
        page.wait_for_timeout(250)
    return found


def _sticking_out_now(page: Page) -> list[str]:
    return page.evaluate(
        """() => {
            const wide = [document.scrollingElement, document.querySelector('[data-testid=stMain]')]
                .filter(element => element.scrollWidth > window.innerWidth)
            const parts = [...document.querySelectorAll('[data-testid=stMain] :is(img, p, h1, h2, button, canvas)')]
                .filter(element => element.getBoundingClientRect().right > window.innerWidth + 0.5)
            return [...wide, ...parts].map(element => element.outerHTML.slice(0, 120))
        }"""
    )


def test_a_photo_in_an_explained_answer_out(page: Page, server: str, record_property: pytest.FixtureRequest) -> None:
    photo = read_photo(example_photo().read_bytes())
    runtime = Runtime(BUNDLE.path("int8.tflite"))
    forward = runtime.forward(model_input(photo.pixels, BUNDLE.crop_rule).pixels[None])
    prediction = open_answerer(BUNDLE, runtime, lambda: prototypes_of(BUNDLE)).answer(photo.pixels).prediction

    started = time.monotonic()
    page.goto(server)
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[""])
    uploaded = time.monotonic()
    upload_example(page)
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_be_visible()
    answered = time.monotonic()
    print(f"page up after {uploaded - started:.1f} s, answer {answered - uploaded:.1f} s after the upload")

    name = TAXONOMY[prediction.candidates[0].label].name
    expect(answer).to_contain_text(re.compile(name, re.IGNORECASE))
    rows = page.get_by_role("list", name="The 5 most probable flowers").get_by_role("listitem")
    expect(rows).to_have_count(5)
    for row, candidate in zip(rows.all(), prediction.top(5), strict=True):
        expect(row).to_contain_text(capital(TAXONOMY[candidate.label].name))
        expect(row).to_contain_text(re.compile(r"\d+\s%"))

    heat = page.get_by_alt_text(f"The photo with a heat map laid over it: What speaks for {name}")
    expect(heat).to_be_visible()
    assert heat.evaluate("image => image.complete && image.naturalWidth > 100")

    gallery = Gallery.load(BUNDLE.path("gallery.faiss"), BUNDLE.path("gallery.npz"))
    for neighbour in gallery.search(forward.embedding[0], 12):
        expect(page.get_by_text(f"photo {neighbour.photo_id}", exact=False).first).to_be_visible()
    settle(page)
    no_trouble(page)


def test_the_map_changes_with_opacity_and_class(page: Page, server: str) -> None:
    page.goto(f"{server}/?photo=example")
    heat = page.get_by_alt_text(re.compile("^The photo with a heat map"))
    expect(heat).to_be_visible()
    settle(page)
    before = heat.get_attribute("src")
    slider = page.get_by_role("slider", name="Opacity of the map")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
        settle(page)  # a picture that the next key replaces before it is fetched would be missed in the console
    faded = heat.get_attribute("src")
    assert faded != before
    page.get_by_role("combobox", name=re.compile("What speaks for")).click()
    page.keyboard.type("sunflo")
    page.keyboard.press("Enter")
    expect(page.get_by_alt_text("The photo with a heat map laid over it: What speaks for sunflower")).to_be_visible()
    assert "explain=sunflower" in page.url
    page.get_by_role("combobox", name=re.compile("Rather than")).click()
    page.keyboard.type("rose")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Orange speaks for sunflower, blue for")).to_be_visible()
    no_trouble(page)


def test_a_rectangle_on_the_photo_asks_about_that_part(page: Page, server: str) -> None:
    photo = read_photo(example_photo().read_bytes())
    page.goto(f"{server}/?photo=example")
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_be_visible()
    page.get_by_text("Look at a part", exact=True).last.click()
    frame = plot_frame(page)
    assert frame["width"] / frame["height"] == pytest.approx(photo.width / photo.height, rel=0.02)
    # From its lower right corner to the upper left, a little inside the per cents that it is rounded out to.
    for share_x, share_y, press in ((0.697, 0.947, "down"), (0.5, 0.5, ""), (0.203, 0.153, "up")):
        page.mouse.move(frame["x"] + share_x * frame["width"], frame["y"] + share_y * frame["height"], steps=4)
        if press:
            getattr(page.mouse, press)()
    expect(page).to_have_url(re.compile("part=20%2C15%2C70%2C95"))
    expect(answer).to_contain_text("This is about the part that you chose")
    settle(page)
    says(page, photo, (20, 15, 70, 95))
    # By the keyboard: the left edge one per cent to the left.
    left = page.get_by_role("slider", name="Across").first
    left.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("part=19%2C15%2C70%2C95"))
    settle(page)
    says(page, photo, (19, 15, 70, 95))
    page.get_by_role("button", name="Whole photo").click()
    expect(answer).not_to_contain_text("This is about the part that you chose")
    assert "part=" not in page.url
    no_trouble(page)


def test_the_part_that_decided_and_the_whole_photo_alone_are_one_click_away(page: Page, server: str) -> None:
    photo = read_photo(example_photo().read_bytes())
    page.goto(f"{server}/?photo=example")
    looks = page.get_by_text("The whole photo alone leaves doubt")
    expect(looks).to_be_visible()
    expect(page.get_by_alt_text("The part of the photo that decided")).to_be_visible()
    page.get_by_role("button", name="Look at this part").click()
    expect(looks).to_have_count(0)
    settle(page)
    part = re.search(r"part=(\d+)%2C(\d+)%2C(\d+)%2C(\d+)", page.url)
    assert part
    left, top, right, bottom = map(int, part.groups())
    says(page, photo, (left, top, right, bottom))
    page.get_by_role("button", name="Whole photo", exact=True).click()
    expect(looks).to_be_visible()
    page.get_by_role("button", name="Whole photo alone").click()
    expect(page.get_by_text("This is what one look at the whole photo says.")).to_be_visible()
    settle(page)
    says(page, photo, (0, 0, 100, 100))
    page.get_by_role("button", name="Look at its parts too").click()
    expect(looks).to_be_visible()
    no_trouble(page)


def says(page: Page, photo: Photo, part: tuple[int, int, int, int]) -> None:
    """The first name on the page and how probable it is are those of the part, in per cent of the photo."""
    found = crop_photo(photo, pixels_of(part, photo.width, photo.height))
    answerer = open_answerer(BUNDLE, Runtime(BUNDLE.path("int8.tflite")))
    forward = answerer.runtime.forward(model_input(found.pixels, BUNDLE.crop_rule).pixels[None])
    best = answerer.first_look(forward).candidates[0]
    first = page.get_by_role("list", name="The 5 most probable flowers").get_by_role("listitem").first
    expect(first).to_contain_text(capital(TAXONOMY[best.label].name))
    expect(first).to_contain_text(percent(best.probability))


def test_lime_runs_on_a_click(page: Page, server: str) -> None:
    page.goto(f"{server}/?photo=example&method=LIME")
    page.get_by_role("button", name=re.compile("Run LIME")).click()
    expect(page.get_by_text("The brighter a piece")).to_be_visible()
    expect(
        page.get_by_role("switch", name="Outline the pieces").or_(page.get_by_text("Outline the pieces"))
    ).not_to_have_count(0)
    no_trouble(page)


def test_a_method_that_takes_seconds_shows_its_progress(page: Page, server: str) -> None:
    page.goto(f"{server}/?photo=example&method=LIME, reference")
    page.get_by_role("button", name=re.compile("Run LIME, reference")).click()
    expect(page.locator("[data-testid=stProgress]")).to_be_visible()
    expect(page.get_by_text("This is about")).to_be_visible(timeout=60_000)
    no_trouble(page)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.jpg", b"A flower, in words.", "JPEG, PNG, WebP"),
        ("cut.jpg", None, "damaged"),
    ],
)
def test_a_wrong_file_gets_a_sentence(
    page: Page, server: str, tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / name
    whole = example_photo().read_bytes()
    file.write_bytes(content or whole[: len(whole) // 2])
    page.goto(server)
    page.set_input_files(UPLOADER, file)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(sentence)
    assert "Traceback" not in page.content()
    no_trouble(page)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_from_its_address(page: Page, server: str, path: str) -> None:
    page.goto(f"{server}/{path}")
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[path])
    settle(page)
    no_trouble(page)


def test_every_page_is_in_the_navigation(page: Page, server: str) -> None:
    page.goto(server)
    for name, title in zip(
        ("Many photos", "Confusions", "Patterns", "Models", "Dataset", "Test yourself", "Identify"),
        [*list(PAGES.values())[1:], PAGES[""]],
        strict=True,
    ):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        settle(page)
        no_trouble(page)


def test_a_click_on_the_matrix_shows_the_photos_behind_the_cell(page: Page, server: str) -> None:
    with np.load(TESTED.path("test_predictions.npz"), allow_pickle=False) as record:
        ids, labels, called = record["ids"], record["labels"], record["logits_int8"].argmax(axis=1) + 1
    page.goto(f"{server}/confusions")
    canvas = page.locator("[data-testid=stVegaLiteChart] canvas")
    expect(canvas).to_be_visible()
    settle(page)
    # Wherever one clicks, the nearest mistake is taken.
    canvas.click(position={"x": 380, "y": 300})
    chosen = page.get_by_role("combobox", name=re.compile("The photo shows"))
    expect(page).to_have_url(re.compile("true=.*called=|called=.*true="))
    settle(page)
    address = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    by_name = {taxon.name: taxon.label for taxon in TAXONOMY}
    wanted = ids[(labels == by_name[address["true"]]) & (called == by_name[address["called"]])]
    assert len(wanted) > 0
    # Each mistake stands beside training photos of both classes; its own caption says that it is a test photo.
    captions = page.locator(".card .quiet").filter(has_text="test photo")
    shown = [int(found.split()[-1]) for found in captions.all_inner_texts()]
    assert len(shown) == min(6, len(wanted))
    assert set(shown) <= set(wanted.tolist())
    expect(page.locator(".card .quiet").filter(has_text="training photo").first).to_be_visible()
    expect(chosen).to_be_visible()
    # The address alone brings the same view back.
    page.goto(page.url)
    expect(captions).to_have_count(len(shown))
    # Without what may have led to it, the photos alone.
    page.get_by_text("Beside what may have led to each").click()
    expect(page.locator(".no-photo, .stand-in")).to_have_count(min(12, len(wanted)))
    no_trouble(page)


def test_a_loop_drawn_on_the_map_shows_the_photos_within(page: Page, server: str) -> None:
    projection = load_projection(BUNDLE.path(PROJECTION_FILE))
    page.goto(f"{server}/dataset?show=Map&bundle={BUNDLE.name}")
    frame = plot_frame(page)
    # Where the dots are on the page: the axes run from -1.04 to 1.04, y upwards.
    share = (projection.points.astype(float) + 1.04) / 2.08
    dots = np.stack(
        [frame["x"] + share[:, 0] * frame["width"], frame["y"] + (1 - share[:, 1]) * frame["height"]], axis=1
    )
    shape = np.array([[-30, -22], [26, -30], [12, 4], [34, 28], [-24, 30]])

    def within(corners: np.ndarray) -> tuple[set[int], set[int]]:
        """Photos surely and perhaps within: the browser rounds to pixels, so what lies on the line may be either."""
        loop = PolygonPath([*corners, corners[0]], closed=True)
        # Which sign narrows follows the direction in which the corners run.
        found = (set(projection.ids[loop.contains_points(dots, radius=radius)].tolist()) for radius in (-2, 2))
        surely, perhaps = sorted(found, key=len)
        return surely, perhaps

    central = dots[(np.abs(share - 0.5) < 0.3).all(axis=1)]
    # Around some photo, as large as one page of photos allows, with more than a few well inside.
    loops = (middle + size * shape for middle in central[::10] for size in np.arange(3, 0.3, -0.1))
    corners = next(loop for loop in loops if len(within(loop)[1]) <= 24 and len(within(loop)[0]) > 5)
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        page.mouse.move(*corner, steps=6)
    page.mouse.up()
    expect(page.get_by_text(re.compile("photos lie within"))).to_be_visible()
    settle(page)
    shown = {int(found) for found in page.locator(".no-photo b").all_inner_texts()}
    surely, perhaps = within(corners)
    assert len(surely) > 5
    assert surely <= shown <= perhaps
    no_trouble(page)


PHONE = (
    "",
    "?photo=example",
    "?photo=example&part=20,15,70,95",
    "?photo=example&near=true",
    "many",
    "confusions",
    "models",
    "dataset",
    "dataset?show=Map",
    "?photo=example&ask=Whence",
    "test-yourself",
)


@pytest.mark.parametrize("path", PHONE)
def test_nothing_sticks_out_on_a_phone(phone: Page, server: str, path: str) -> None:
    phone.goto(f"{server}/{path}")
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    if "photo" in path:
        expect(phone.get_by_role("region", name="Answer")).to_be_visible()
    settle(phone)
    assert sticking_out(phone) == []
    no_trouble(phone)


def test_the_keyboard_reaches_what_gives_a_photo(page: Page, server: str) -> None:
    page.goto(server)
    expect(page.get_by_role("button", name="Use the example photo")).to_be_visible()
    settle(page)
    reached = []
    while "Use the example photo" not in reached and len(reached) < 25:
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.matches('button') ? document.activeElement.innerText : ''")
        )
        reached[-1] = reached[-1].split("\n")[-1]
    assert reached.index("Upload") < reached.index("Use the example photo"), reached
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Answer")).to_be_visible()
