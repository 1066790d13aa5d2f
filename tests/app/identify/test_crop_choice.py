"""A part of the photo to look at closer: from the address, by the sliders, and what a rectangle on the chart means."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.elements.words import capital, percent
from app.identify.crop_choice import WHOLE, drawn_percents, picker, pixels_of, read_percents, written
from app.resources import session
from flowers_core.data.crops import crop_photo, squared
from flowers_core.data.model_input import model_input
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import Answer, open_answerer
from flowers_core.inference.prediction import Prediction
from flowers_core.inference.runtime import Runtime
from tests.app.conftest import drawn_photo, example_bytes, html, images, run
from tests.app.elements.test_words import prediction
from tests.app.identify.test_page import BUNDLE, bars, encoded, upload
from tests.app.identify.test_page import expected as all_looks

Open = Callable[..., AppTest]
TAXONOMY = load_taxonomy()
PHOTO = read_photo(example_bytes())


def expected(box: tuple[int, int, int, int]) -> Prediction:
    """What the library says of a part, without the page."""
    answerer = open_answerer(BUNDLE, Runtime(BUNDLE.path("int8.tflite"), workers=1))
    pixels = model_input(crop_photo(PHOTO, box).pixels, BUNDLE.crop_rule).pixels
    return answerer.first_look(answerer.runtime.forward(pixels[None]))


def named(found: Prediction) -> list[tuple[str, str]]:
    return [(capital(TAXONOMY[c.label].name), percent(c.probability)) for c in found.top(5)]


@pytest.mark.slow
def test_the_answer_is_that_of_the_part_in_the_address_and_a_button_goes_back(open_page: Open) -> None:
    whole = expected((0, 0, PHOTO.width, PHOTO.height))
    app = open_page(photo="example", part="20,15,70,95")
    # 320 × 342 pixels, made a square of 342 around the same middle.
    part = expected((117, 64, 459, 406))
    assert named(part) != named(whole)
    assert bars(app) == named(part)
    name = TAXONOMY[whole.candidates[0].label].name
    assert f"of the whole photo the model says {name}, {percent(whole.candidates[0].probability)}" in html(app)
    # The maps are those of the part, a square, all of which the model sees.
    assert tuple(images(app)[1].captions) == ("Your photo",)
    app.button(key="whole-photo").click()
    run(app)
    assert "part" not in app.query_params
    assert bars(app) == named(all_looks(example_bytes())[0])
    assert "the part that you chose" not in html(app)
    assert not any(button.key == "whole-photo" for button in app.button)


@pytest.mark.slow
def test_the_sliders_choose_and_show_what_is_chosen(open_page: Open) -> None:
    app = open_page(photo="example")
    assert not any(slider.key == "crop-across" for slider in app.slider)
    app.toggle(key="picking-crop").set_value(True)
    run(app)
    assert (app.slider(key="crop-across").value, app.slider(key="crop-down").value) == ((0, 100), (0, 100))
    app.slider(key="crop-across").set_value((25, 65))
    run(app)
    assert app.query_params["part"] == "25,0,65,100"
    app.slider(key="crop-down").set_value((20, 80))
    run(app)
    assert app.query_params["part"] == "25,20,65,80"
    assert bars(app) == named(expected(pixels_of((25, 20, 65, 80), PHOTO.width, PHOTO.height)))
    app.toggle(key="picking-crop").set_value(False)
    run(app)
    assert app.query_params["part"] == "25,20,65,80"
    app.toggle(key="picking-crop").set_value(True)
    run(app)
    assert (app.slider(key="crop-across").value, app.slider(key="crop-down").value) == ((25, 65), (20, 80))


@pytest.mark.slow
def test_a_part_too_small_is_told_and_the_whole_photo_answers(open_page: Open) -> None:
    app = open_page(photo="example", part="50,50,51,51")
    assert any("part is too small to show a flower" in warning.value for warning in app.warning)
    assert bars(app) == named(all_looks(example_bytes())[0])


@pytest.mark.slow
def test_another_photo_begins_whole(open_page: Open) -> None:
    app = open_page(photo="example", part="20,15,70,95")
    upload(app, "drawn.png", encoded(drawn_photo(), "PNG"), "image/png")
    assert "part" not in app.query_params
    assert "the part that you chose" not in html(app)


@pytest.mark.slow
def test_an_unsure_answer_comes_with_the_offer(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "answer", lambda _: Answer(prediction(rose=0.3), prediction(rose=0.3)))
    app = open_page(photo="example")
    app.button(key="try-part").click()
    run(app)
    assert app.toggle(key="picking-crop").value is True
    monkeypatch.setattr(session, "answer", lambda _: Answer(prediction(rose=0.97), prediction(rose=0.97)))
    assert not any(button.key == "try-part" for button in run(app).button)


@pytest.mark.parametrize(
    "text", [None, "", "a,b,c,d", "10,20,30", "30,0,20,100", "0,-1,50,50", "0,0,101,50", "1e1,0,50,50"]
)
def test_an_address_that_makes_no_sense_is_the_whole_photo(text: str | None) -> None:
    assert read_percents(text) == WHOLE


def test_an_address_comes_back() -> None:
    assert read_percents(written((5, 10, 50, 100))) == (5, 10, 50, 100)


def test_a_rectangle_becomes_whole_per_cents_around_it() -> None:
    def state(x: list[float], y: list[float]) -> dict:
        # The chart tells every rectangle that was drawn; the last one counts.
        return {"selection": {"box": [{"x": [0, 1], "y": [0, 1]}, {"x": x, "y": y}]}}

    # On a photo of 200 × 100: from 41 to 119 across are 20.5 % to 59.5 %, drawn in whatever direction.
    assert drawn_percents(state([119.0, 41.0], [10.0, 79.5]), 200, 100) == (20, 10, 60, 80)
    assert drawn_percents(state([-30.0, 41.0], [-5.0, 130.0]), 200, 100) == (0, 0, 21, 100)
    assert drawn_percents(state([-30.0, -3.0], [10.0, 20.0]), 200, 100) is None
    assert drawn_percents({"selection": {"box": []}}, 200, 100) is None


def test_what_is_looked_at_is_a_square_around_the_part() -> None:
    assert pixels_of((25, 25, 75, 75), 400, 200) == squared((100, 50, 300, 150), 400, 200) == (100, 0, 300, 200)
    assert pixels_of(WHOLE, 400, 200) == (0, 0, 400, 200)


def test_the_chart_has_the_photo_s_pixels_for_axes() -> None:
    figure = picker(np.zeros((100, 200, 3), np.uint8), (25, 0, 75, 100))
    assert (tuple(figure.layout.xaxis.range), tuple(figure.layout.yaxis.range)) == ((0, 200), (100, 0))
    (image,) = figure.layout.images
    assert (image.x, image.y, image.sizex, image.sizey, image.sizing) == (0, 0, 200, 100, "stretch")
    (outline,) = figure.layout.shapes
    assert (outline.x0, outline.y0, outline.x1, outline.y1) == (50, 0, 150, 100)
    assert not picker(np.zeros((100, 200, 3), np.uint8), WHOLE).layout.shapes
