"""Several looks on the page: the part that decided, the words about it, and the whole photo alone."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.elements.words import capital, percent
from app.identify.looks import describe
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.answerer import Answer, Looks, open_answerer
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.inference.prediction import Prediction, ranked, taxa_of
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery_prototypes import prototypes_of
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import example_bytes, html, run
from tests.app.identify.test_page import bars

Open = Callable[..., AppTest]
TAXONOMY = load_taxonomy()


def named(prediction: Prediction) -> list[tuple[str, str]]:
    return [(capital(TAXONOMY[one.label].name), percent(one.probability)) for one in prediction.top(5)]


@pytest.mark.slow
def test_the_answer_is_that_of_all_looks_and_one_click_shows_the_whole_photo_alone(open_page: Open) -> None:
    bundle = load_bundle(default_models_dir() / DEFAULT_BUNDLE)
    answerer = open_answerer(bundle, Runtime(bundle.path("int8.tflite")), lambda: prototypes_of(bundle))
    wanted = answerer.answer(read_photo(example_bytes()).pixels)
    app = open_page(photo="example")
    assert bars(app) == named(wanted.prediction)
    assert any(describe(wanted, TAXONOMY) == text.value for text in app.markdown)
    app.button(key="whole-alone").click()
    run(app)
    assert app.query_params["part"] == "0,0,100,100"
    assert bars(app) == named(wanted.whole)
    assert not any("leaves doubt" in text.value for text in app.markdown)
    app.button(key="all-looks").click()
    run(app)
    assert bars(app) == named(wanted.prediction)
    app.button(key="look-closer").click()
    run(app)
    assert wanted.looks is not None
    assert wanted.looks.box is not None
    photo = read_photo(example_bytes())
    part = [int(number) for number in app.query_params["part"].split(",")]
    for per_cent, edge, length in zip(part, wanted.looks.box, (photo.width, photo.height) * 2, strict=True):
        assert per_cent == pytest.approx(100 * edge / length, abs=1)
    assert bars(app)[0][0] == named(wanted.prediction)[0][0]


def test_a_part_that_was_chosen_is_looked_at_once(open_page: Open) -> None:
    app = open_page(photo="example", part="20,15,70,95")
    assert "of the whole photo the model says" in html(app)
    assert not any("leaves doubt" in text.value for text in app.markdown)


def _prediction(first: int, probability: float) -> Prediction:
    probabilities = np.full(102, (1 - probability) / 101)
    probabilities[first - 1] = probability
    return ranked(probabilities, 1, "unsure", taxa_of(probabilities, TAXONOMY))


@pytest.mark.parametrize(("agreeing", "words"), [(1, "one is clearly named"), (7, "7 are clearly named")])
def test_the_words_say_what_the_looks_gave(agreeing: int, words: str) -> None:
    answer = Answer(_prediction(2, 0.93), _prediction(1, 0.4), Looks(26, agreeing, (0, 0, 9, 9), 0.9))
    said = describe(answer, TAXONOMY)
    assert f"leaves doubt: {TAXONOMY[1].name}, {percent(0.4)} probable" in said
    assert "looked at 26 parts" in said
    assert f"{words} **{TAXONOMY[2].name}**" in said


def test_the_words_where_no_part_decides() -> None:
    answer = Answer(_prediction(1, 0.3), _prediction(1, 0.4), Looks(20, 0, None, 0.0))
    assert "looked at 20 parts of it too, and none looks more like a flower" in describe(answer, TAXONOMY)
    assert describe(Answer(_prediction(1, 0.99), _prediction(1, 0.99)), TAXONOMY) == ""
