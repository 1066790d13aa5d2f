import io
import re
from collections.abc import Callable, Collection
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.elements.words import capital, percent
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import PhotoError, read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import open_answerer
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.retrieval.neighbour import Neighbour
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import drawn_photo, example_bytes, html, images, missing_photos, run

Open = Callable[..., AppTest]
BUNDLE = load_bundle(default_models_dir() / DEFAULT_BUNDLE)


def encoded(pixels: np.ndarray, file_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format)
    return buffer.getvalue()


def expected(content: bytes):
    """What the library says without the page: from all looks, and the forward pass over the whole photo."""
    photo = read_photo(content)
    runtime = Runtime(BUNDLE.path("int8.tflite"))
    forward = runtime.forward(model_input(photo.pixels, BUNDLE.crop_rule).pixels[None])
    answerer = open_answerer(BUNDLE, runtime, lambda: prototypes_of(BUNDLE))
    return answerer.answer(photo.pixels, forward).prediction, forward


def bars(app: AppTest) -> list[tuple[str, str]]:
    """Names and percentages of the list of candidates."""
    listed = re.search(r'<ol class="bars " .*?</ol>', html(app), re.DOTALL)
    assert listed
    rows = re.findall(r'class="name">(.*?) <i>.*?class="share">(.*?)</span>', listed[0], re.DOTALL)
    return [(unescape(name), unescape(share)) for name, share in rows]


def upload(app: AppTest, name: str, content: bytes, mime: str = "image/jpeg") -> AppTest:
    app.file_uploader[0].set_value((name, content, mime))
    return run(app)


@pytest.mark.slow
def test_begins_with_an_invitation_and_nothing_else(open_page: Open) -> None:
    app = open_page()
    assert app.title[0].value == "Which flower is this?"
    assert "one of 102 kinds" in html(app)
    assert not images(app)
    assert not app.header


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "BMP"])
def test_an_upload_is_named_as_the_library_names_it(open_page: Open, file_format: str) -> None:
    content = encoded(drawn_photo(), file_format)
    app = upload(open_page(), f"drawn.{file_format.lower()}", content)
    prediction, _ = expected(content)
    taxonomy = load_taxonomy()
    assert bars(app) == [(capital(taxonomy[c.label].name), percent(c.probability)) for c in prediction.top(5)]
    assert [header.value for header in app.header] == ["Why", "What it resembles"]
    assert len(images(app)) == 3  # the photo; then once plain, once with the map


@pytest.mark.slow
def test_the_example_photo_has_an_address(open_page: Open) -> None:
    clicked = open_page()
    clicked.button(key="use-example").click()
    run(clicked)
    assert clicked.query_params["photo"] == "example"
    opened = open_page(photo="example")
    assert bars(opened) == bars(clicked)
    assert len(bars(opened)) == 5


@pytest.mark.slow
def test_the_example_comes_back_after_a_file(open_page: Open) -> None:
    app = open_page(photo="example")
    first = bars(app)
    upload(app, "drawn.png", encoded(drawn_photo(), "PNG"), "image/png")
    assert bars(app) != first
    assert "photo" not in app.query_params
    app.button(key="use-example").click()
    assert bars(run(app)) == first


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.jpg", b"A flower, in words."),
        ("empty.jpg", b""),
        ("truncated.jpg", example_bytes()[:70_000]),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("tiny.png", encoded(np.zeros((1, 1, 3), np.uint8), "PNG")),
    ],
)
def test_a_wrong_file_gets_a_sentence(open_page: Open, name: str, content: bytes) -> None:
    with pytest.raises(PhotoError) as sentence:
        read_photo(content)
    app = upload(open_page(), name, content)
    assert [error.value for error in app.error] == [str(sentence.value)]
    assert not images(app)


@pytest.mark.slow
def test_after_a_wrong_file_comes_a_right_one(open_page: Open) -> None:
    app = upload(open_page(), "notes.jpg", b"A flower, in words.")
    assert app.error
    upload(app, "flower.jpg", example_bytes())
    assert not app.error
    assert len(bars(app)) == 5


@pytest.mark.slow
def test_taking_the_file_away_takes_the_answer_away(open_page: Open) -> None:
    app = upload(open_page(), "flower.jpg", example_bytes())
    app.button(key="take-away").click()
    run(app)
    assert not images(app)


@pytest.mark.slow
def test_the_camera_is_asked_for_only_when_wanted(open_page: Open) -> None:
    app = open_page()
    assert not app.camera_input
    app.toggle(key="camera-on").set_value(True)
    run(app)
    content = encoded(drawn_photo(), "JPEG")
    app.camera_input(key="camera").upload("camera.jpg", content, "image/jpeg")
    run(app)
    prediction, _ = expected(content)
    assert bars(app)[0][0] == capital(load_taxonomy()[prediction.candidates[0].label].name)


@pytest.mark.slow
def test_neighbours_are_the_gallery_s_and_show_without_photos(open_page: Open) -> None:
    app = open_page(photo="example")
    _, forward = expected(example_bytes())
    gallery = Gallery.load(BUNDLE.path("gallery.faiss"), BUNDLE.path("gallery.npz"))
    found = gallery.search(forward.embedding[0], 12)
    page = html(app)
    assert missing_photos(app) == [n.photo_id for n in found]
    for neighbour in found:
        assert f"similarity {neighbour.similarity:.2f}" in page
    assert app.button(key="download-neighbours").label == "Download the photos"


@pytest.mark.slow
def test_neighbours_of_one_split(open_page: Open) -> None:
    app = open_page(photo="example", among="Training")
    _, forward = expected(example_bytes())
    gallery = Gallery.load(BUNDLE.path("gallery.faiss"), BUNDLE.path("gallery.npz"))
    wanted = [n.photo_id for n in gallery.search(forward.embedding[0], 12, splits={"train"})]
    assert missing_photos(app) == wanted


@pytest.mark.slow
def test_a_class_and_a_rival_can_be_chosen_to_explain(open_page: Open) -> None:
    app = open_page(photo="example", method="Evidence")
    prediction, _ = expected(example_bytes())
    taxonomy = load_taxonomy()
    best, second = (taxonomy[c.label] for c in prediction.top(2))
    box = app.selectbox(key="explain")
    assert box.value == best.label
    assert len(box.options) == 102
    assert box.options[:5] == [taxonomy[c.label].name for c in prediction.top(5)]
    assert any(f"evidence for {best.name} " in m.value for m in app.markdown)
    app.selectbox(key="against").select(second.label)
    run(app)
    assert any(m.value.startswith(f"Orange speaks for {best.name}, blue for {second.name}.") for m in app.markdown)


@pytest.mark.slow
def test_an_address_names_what_is_explained(open_page: Open) -> None:
    app = open_page(photo="example", explain="rose", against="sunflower")
    assert any(m.value.startswith("Orange speaks for rose, blue for sunflower.") for m in app.markdown)


@pytest.mark.slow
def test_another_photo_starts_with_its_own_answer(open_page: Open) -> None:
    app = open_page(photo="example")
    app.selectbox(key="explain").select(1)
    app.selectbox(key="against").select(2)
    run(app)
    content = encoded(drawn_photo(), "PNG")
    upload(app, "drawn.png", content, "image/png")
    prediction, _ = expected(content)
    assert app.selectbox(key="explain").value == prediction.candidates[0].label
    assert app.selectbox(key="against").value is None


@pytest.mark.slow
def test_lime_waits_for_a_click_and_is_remembered(open_page: Open) -> None:
    app = open_page(photo="example", method="LIME")
    assert app.button(key="run-lime")
    assert len(images(app)) == 2  # the photo, and the pieces that it would be cut into
    app.button(key="run-lime").click()
    run(app)
    sentence = next(m.value for m in app.markdown if m.value.startswith("The brighter a piece"))
    assert re.search(r"Learned from \d+ partly hidden copies", sentence)
    assert len(images(app)) == 3
    app.slider(key="opacity").set_value(20)
    run(app)
    assert not any(button.key == "run-lime" for button in app.button)
    assert sentence in [m.value for m in app.markdown]


@pytest.mark.slow
def test_the_pieces_are_the_persons_choice(open_page: Open) -> None:
    app = open_page(photo="example", method="LIME")

    def pieces() -> int:
        captions = [caption for image in images(app) for caption in image.captions]
        return int(next(m[1] for caption in captions if (m := re.match(r"(\d+) pieces", caption))))

    few = pieces()
    app.slider(key="segments").set_value(80)
    run(app)
    assert pieces() > 1.5 * few
    app.selectbox(key="segmentation").select("felzenszwalb")
    run(app)
    many = pieces()
    app.button(key="run-lime").click()
    run(app)
    assert app.toggle(key="outlines").value
    # Other pieces are another map: back to the first choice it has to be asked for again, and then it is known.
    app.slider(key="segments").set_value(20)
    run(app)
    assert app.button(key="run-lime")
    app.slider(key="segments").set_value(80)
    run(app)
    assert not any(button.key == "run-lime" for button in app.button)
    assert many > few


@pytest.mark.slow
def test_every_precision_of_the_bundle_answers(open_page: Open) -> None:
    for precision in BUNDLE.precisions:
        app = open_page(photo="example", precision=precision)
        assert len(bars(app)) == 5


@pytest.mark.slow
def test_a_data_set_photo_has_an_address_and_is_not_its_own_neighbour(
    open_page: Open, drawn_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out = []
    search = Gallery.search

    def watched(gallery: Gallery, *args: Any, exclude: Collection[int] = (), **kwargs: Any) -> list[Neighbour]:
        left_out.extend(exclude)
        return search(gallery, *args, exclude=exclude, **kwargs)

    monkeypatch.setattr(Gallery, "search", watched)
    app = open_page(photo="3")
    assert set(left_out) == {3}
    content = (drawn_dataset / "jpg" / "image_00003.jpg").read_bytes()
    assert [name for name, _ in bars(app)] == [
        capital(load_taxonomy()[c.label].name) for c in expected(content)[0].top(5)
    ]
    assert "image\\_00003.jpg" in images(app)[0].captions[0]  # Markdown for image_00003.jpg
    assert "labelled hard-leaved pocket orchid" in images(app)[0].captions[0]
    assert not any(button.label == "Download the photos" for button in app.button)


@pytest.mark.slow
def test_a_data_set_photo_comes_back_after_a_file(open_page: Open, drawn_dataset: Path) -> None:
    app = open_page(photo="3")
    upload(app, "flower.jpg", example_bytes())
    assert "flower.jpg" in images(app)[0].captions[0]
    app.query_params["photo"] = "3"
    assert "image\\_00003.jpg" in images(run(app))[0].captions[0]


@pytest.mark.slow
def test_photos_that_are_on_disk_are_shown(open_page: Open, drawn_dataset: Path) -> None:
    # Only the first photos of the gallery are in the drawn data set; for the others something stands in.
    gallery = Gallery.load(BUNDLE.path("gallery.faiss"), BUNDLE.path("gallery.npz"))
    _, forward = expected(example_bytes())
    found = [n.photo_id for n in gallery.search(forward.embedding[0], 12)]
    drawn = len(list((drawn_dataset / "jpg").iterdir()))
    app = open_page(photo="example")
    assert missing_photos(app) == [n for n in found if n > drawn]
    assert len(images(app)) == 3 + sum(n <= drawn for n in found)


@pytest.mark.parametrize("wanted", ["17", "none", "999999"])
def test_a_data_set_photo_needs_the_data_set(open_page: Open, wanted: str) -> None:
    app = open_page(photo=wanted)
    assert len(app.warning) == 1
    assert not images(app)
    assert run(app).warning, "the sentence stays while the address does"


def test_a_bundle_that_is_damaged_says_so(open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "models" / "broken"
    broken.mkdir(parents=True)
    (broken / "bundle.json").write_text("{")
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(broken.parent))
    app = open_page(photo="example")
    assert any("not readable as JSON" in error.value for error in app.error)
