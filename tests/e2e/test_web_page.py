"""The static page that `flowers export --for web` writes: asked as a person asks it, with the network watched."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from app.elements.words import capital, percent
from app.resources.data import example_photo
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import open_photo
from flowers_core.data.taxonomy import taxonomy_of
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.concepts.concepts import CONCEPTS_FILE, load_concepts
from flowers_core.explain.concepts.shares import concept_shares
from flowers_core.explain.explanation import ClassTarget
from flowers_core.export.web_page import export_web
from flowers_core.export.web_runtime import RuntimeMissing
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import DEFAULT_BUNDLE, Bundle, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.storage.paths import default_models_dir
from scripts.benchmarks.web_client import WebClient, serving

pytestmark = pytest.mark.e2e
SMALL = "efficientnet_lite0_small"
#: Of the page with each model; the documents recommend the small one where every megabyte counts.
MOST_BYTES = {DEFAULT_BUNDLE: 12_000_000, SMALL: 8_000_000}
# Pixels in and out as base64: lists of numbers take Playwright minutes.
SQUARE = """async ([width, height, rgba, size, fraction]) => {
    const { middleSquare } = await import("./resample.js");
    const data = Uint8ClampedArray.from(atob(rgba), (letter) => letter.charCodeAt(0));
    const square = middleSquare({ width, height, data }, size, fraction);
    return btoa(Array.from(square, (value) => String.fromCharCode(value)).join(""));
}"""

# Concept and share, the most first, of features and a class.
PATTERNS = """async ([base64, column]) => {
    const [{ model }, { presenceOf, sharesOf }] = await Promise.all([import("./page.js"), import("./concepts.js")]);
    const { facts, arrays } = await model;
    const features = new Float32Array(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
    const presence = presenceOf(features, arrays.concepts_target, arrays.concepts_gram, facts.concepts.curvature);
    const shares = sharesOf(presence, arrays.concepts_worths, facts.classes.length, column);
    return shares.map(({ concept, share }) => [concept, share]);
}"""


@pytest.fixture(scope="module", params=[DEFAULT_BUNDLE, SMALL])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    """The default model, and one that has the rules of confidence."""
    return load_bundle(default_models_dir() / request.param)


@pytest.fixture(scope="module")
def folder(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("static") / "page"
    try:
        export_web(bundle, path)
    except RuntimeMissing as missing:
        pytest.skip(str(missing))
    return path


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


@pytest.fixture
def window(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page. At the end: nothing broke in it, and nothing was asked of any other machine."""
    contexts, errors, strangers = [], [], []

    def opened(width: int = 1280, script: str = "") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 844})
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        context.on("request", lambda request: strangers.append(request.url) if elsewhere(request.url) else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert strangers == []


def elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("blob", "data") and parts.hostname != "localhost"


def answered(page: Page, photo: Path) -> str:
    page.locator("#file").set_input_files(photo)
    region = page.get_by_role("region", name="Answer")
    expect(region).to_be_visible()
    return region.get_by_role("heading").inner_text()


def test_the_answer_is_the_servers(window: Callable[..., Page], bundle: Bundle, address: str) -> None:
    photo = open_photo(example_photo())
    seen = model_input(photo.pixels, bundle.crop_rule)
    runtime, taxonomy = Runtime(bundle.path("int8.tflite"), workers=1), taxonomy_of(bundle.class_names)
    # The page in the browser takes one look.
    prediction = open_answerer(bundle, runtime).first_look(runtime.forward(seen.pixels[None]))
    best = prediction.candidates[0]

    page = window()
    heading = answered(page, example_photo())
    assert taxonomy[best.label].name in heading.lower()
    rows = page.get_by_role("list", name="The most probable flowers").get_by_role("listitem")
    expect(rows).to_have_count(5)
    for row, candidate in zip(rows.all(), prediction.top(5), strict=True):
        expect(row).to_have_text(f"{capital(taxonomy[candidate.label].name)}{percent(candidate.probability)}")

    found = WebClient(page, address).ask(example_photo())
    assert (found["column"], found["verdict"]) == (best.label - 1, prediction.verdict)
    assert found["probability"] == pytest.approx(best.probability, abs=0.01)
    features = runtime.features(seen.pixels[None])[0]
    size = (photo.width, photo.height)
    expected = class_evidence(features, bundle.head()[0], best.label, box=seen.box, photo_size=size).contributions
    assert np.corrcoef(expected.ravel(), found["evidence"])[0, 1] > 0.99
    assert sum(found["evidence"]) == pytest.approx(expected.sum(), rel=0.02)


def test_the_patterns_are_the_servers(window: Callable[..., Page], bundle: Bundle) -> None:
    page = window()
    answered(page, example_photo())
    if not bundle.has(CONCEPTS_FILE):
        expect(page.get_by_role("region", name="What the score is made of")).to_be_hidden()
        return
    region = page.get_by_role("region", name="What the score is made of")
    expect(region).to_be_visible()
    runtime, (weights, bias) = Runtime(bundle.path("int8.tflite"), workers=1), bundle.head()
    seen = model_input(open_photo(example_photo()).pixels, bundle.crop_rule)
    forward = runtime.forward(seen.pixels[None])
    label = int(forward.logits[0].argmax()) + 1
    dictionary = load_concepts(bundle.path(CONCEPTS_FILE), weights).dictionary
    expected = concept_shares(forward.features[0], dictionary, weights, bias, ClassTarget(label))
    strongest = expected.strongest(4)
    features = base64.b64encode(forward.features[0].astype("<f4").tobytes()).decode()
    found = page.evaluate(PATTERNS, [features, label - 1])
    assert [concept for concept, _ in found[:4]] == strongest
    assert [share for _, share in found[:4]] == pytest.approx(expected.shares[strongest], rel=0.01)
    shown = region.get_by_role("listitem")
    expect(shown).to_have_count(4)
    for item, concept in zip(shown.all(), strongest, strict=True):
        share = expected.shares[concept] / expected.value
        expect(item).to_contain_text(f"{percent(share)} of the score" if share > 0 else "Speaks against ")
        expect(item).to_contain_text("Typical of ")


def test_the_square_is_pillows_to_the_bit(window: Callable[..., Page], bundle: Bundle) -> None:
    if bundle.name != DEFAULT_BUNDLE:
        pytest.skip("The same module for every model.")
    page, rng = window(), np.random.default_rng(0)
    for height, width in [(500, 667), (91, 64), (300, 257), (300, 280), (260, 250)]:
        coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize((width, height))
        speckles = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        pixels = np.where(rng.random((height, width, 1)) < 0.1, speckles, np.asarray(coarse))
        opaque = np.concatenate([pixels, np.full((height, width, 1), 255, np.uint8)], axis=2)
        for rule in (CropRule(256), CropRule(224, 0.875)):
            found = page.evaluate(
                SQUARE, [width, height, base64.b64encode(opaque).decode(), rule.size, rule.crop_fraction]
            )
            expected = model_input(pixels, rule).pixels
            np.testing.assert_array_equal(np.frombuffer(base64.b64decode(found), np.uint8), expected.ravel())


def test_it_opens_and_answers_without_a_network(window: Callable[..., Page], bundle: Bundle) -> None:
    page = window()
    expect(page.get_by_role("status")).to_have_text("Ready.")
    page.evaluate("navigator.serviceWorker.ready.then(() => {})")
    page.context.set_offline(True)
    page.reload()
    assert answered(page, example_photo())
    about = page.get_by_text("What the model knows, and what it does not")
    about.click()
    expect(page.get_by_text("Do not judge by it what is safe to eat")).to_be_visible()
    expect(page.get_by_text(f"The model is {bundle.name}")).to_be_visible()


def test_a_browser_can_install_it(window: Callable[..., Page]) -> None:
    page = window()
    expect(page.get_by_role("status")).to_have_text("Ready.")
    page.evaluate("navigator.serviceWorker.ready.then(() => {})")
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {entry["errorId"] for entry in found} <= {"in-incognito"}
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert json.loads(manifest["data"])["display"] == "standalone"


def test_a_picture_of_the_camera(window: Callable[..., Page]) -> None:
    # A canvas in the place of the lens: the stream and all behind it is the browser's own.
    page = window(
        script="""navigator.mediaDevices.getUserMedia = async () => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
            const context = canvas.getContext("2d");
            setInterval(() => { context.fillStyle = "#c33"; context.fillRect(0, 0, 320, 240); }, 30);
            return canvas.captureStream();
        };"""
    )
    page.get_by_role("button", name="Use the camera").click()
    camera = page.get_by_role("dialog", name="Camera")
    expect(camera).to_be_visible()
    camera.get_by_role("button", name="Back").click()
    expect(camera).to_be_hidden()
    expect(page.get_by_role("region", name="Answer")).to_be_hidden()
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_timeout(500)
    camera.get_by_role("button", name="Take the picture").click()
    expect(page.get_by_role("region", name="Answer")).to_be_visible()
    middle = page.locator("#square").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(128, 128, 1, 1).data]"
    )
    np.testing.assert_allclose(middle, [204, 51, 51, 255], atol=12)


def test_what_goes_wrong_is_told(window: Callable[..., Page], tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no photo")
    page = window(
        script="navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };"
    )
    page.locator("#file").set_input_files(tmp_path / "notes.jpg")
    expect(page.get_by_role("status")).to_contain_text("This file cannot be shown as a photo here.")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("status")).to_have_text("No camera was found. Choose a photo instead.")


def test_by_keyboard_on_a_phones_width(window: Callable[..., Page]) -> None:
    page = window(390)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Choose a photo")).to_be_focused()
    # A key opens the system's own dialog, which not every headless Chromium has.
    page.get_by_label("Choose a photo").set_input_files(example_photo())
    expect(page.get_by_role("region", name="Answer")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"\w"))
    speaks = page.get_by_role("img", name=re.compile("^The photo with a heat map laid over it: What speaks for"))
    expect(speaks).to_be_visible()
    wide = page.evaluate(
        """[...document.querySelectorAll("body *")]
            .filter((part) => part.getBoundingClientRect().right > innerWidth + 0.5).length"""
    )
    assert wide == 0


def test_it_is_small(folder: Path, bundle: Bundle) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size <= MOST_BYTES[bundle.name]
