"""The map of where the evidence lies, by every method."""

import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.elements.method_readings import READINGS
from app.identify.downloads import as_npy, as_png
from app.resources import session
from flowers_core.data.photos import read_photo
from flowers_core.explain.attributions.cam import class_evidence
from flowers_core.explain.methods import METHODS, Needs
from flowers_core.explain.overlay import draw
from flowers_core.explain.records.methods import EXPLANATIONS_FILE, default_method, load_methods
from flowers_core.inference.answerer import Answer
from tests.app.conftest import example_bytes, html, images, run
from tests.app.elements.test_words import prediction
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


@pytest.mark.slow
def test_every_method_can_be_chosen_and_no_slow_one_runs_unasked(open_page: Open) -> None:
    app = open_page(photo="example")
    box = app.selectbox(key="method")
    first = METHODS[default_method(load_methods(TESTED.path(EXPLANATIONS_FILE)))]
    assert box.value == first.title
    assert list(box.options) == [method.title for method in METHODS.values()]
    for method in METHODS.values():
        box.select(method.title)
        run(app)
        box = app.selectbox(key="method")
        if method.name in ("cam", "zoomed_cam"):
            assert len(images(app)) == 3  # the photo; then plain, and with the map
            continue
        assert app.button(key=f"run-{method.name}").label.startswith(f"Run {method.title} for")
        assert READINGS[method.name] in said(app)
        assert ("TensorFlow" in said(app)) == (method.needs is Needs.KERAS)
        assert app.selectbox(key="against").disabled == (not method.contrasts)


@pytest.mark.slow
def test_occlusion_runs_on_a_click_and_is_remembered(open_page: Open) -> None:
    app = open_page(photo="example", method="Occlusion")
    assert "up to 145 looks" in said(app)
    app.button(key="run-occlusion").click()
    run(app)
    assert re.search(r"hidden, the brighter a place\. This is about .*; it took \d+\.\d s", said(app))
    app.slider(key="opacity").set_value(20)
    run(app)
    assert not any(button.key in ("run-occlusion", "stop-occlusion") for button in app.button)


@pytest.mark.slow
def test_a_slow_method_sets_two_classes_against_each_other(open_page: Open) -> None:
    app = open_page(photo="example", method="Score-CAM", explain="rose", against="sunflower")
    app.button(key="run-score_cam").click()
    run(app)
    assert "Orange speaks for rose, blue for sunflower." in said(app)
    assert "logits" not in said(app)


@pytest.mark.slow
def test_an_undecided_answer_begins_with_what_tells_the_two_apart(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    undecided = prediction(rose=0.5, camellia=0.4)
    monkeypatch.setattr(session, "answer", lambda _: Answer(undecided, undecided))
    app = open_page(photo="example")
    assert "What tells them apart is shown below." in html(app)
    assert "Orange speaks for rose, blue for camellia." in said(app)
    # Not when the person, or the address, has chosen otherwise.
    app.selectbox(key="against").set_value(None)
    run(app)
    assert "Orange speaks" not in said(app)
    assert "Orange speaks" not in said(open_page(photo="example", explain="sunflower"))


def test_the_files_hold_the_map() -> None:
    photo = read_photo(example_bytes())
    explained = class_evidence(
        np.random.default_rng(0).random((7, 7, 3)),
        np.eye(3),
        2,
        box=(106.0, 0.0, 533.0, 427.0),
        photo_size=(photo.width, photo.height),
    )
    heat = np.load(io.BytesIO(as_npy(explained)), allow_pickle=False)
    np.testing.assert_array_equal(heat, explained.heatmap())
    picture = np.asarray(Image.open(io.BytesIO(as_png(photo, explained, 0.7, 0.3))))
    np.testing.assert_array_equal(picture, draw(photo.pixels, explained, 0.7, threshold=0.3))


@pytest.mark.slow
def test_the_files_are_offered_and_the_weakest_can_be_hidden(open_page: Open) -> None:
    app = open_page(photo="example")
    whole = images(app)[2].proto.imgs[0].url
    app.slider(key="threshold").set_value(60)
    run(app)
    assert images(app)[2].proto.imgs[0].url != whole
    assert {button.label for button in app.get("download_button")} >= {"Map (.npy)", "Overlay (PNG)"}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["LIME", "Evidence"])
def test_a_method_has_an_address(open_page: Open, method: str) -> None:
    app = open_page(photo="example", method=method)
    assert app.selectbox(key="method").value == method
    assert html(app)
