"""One question at a time, each with an address."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.identify.questions import QUESTIONS, Question
from tests.app.conftest import html, run

Open = Callable[..., AppTest]


@pytest.mark.slow
def test_the_page_begins_with_where(open_page: Open) -> None:
    app = open_page(photo="example")
    assert app.segmented_control(key="ask").value == "Where"
    assert QUESTIONS[0].asks in html(app)
    assert not any(question.asks in html(app) for question in QUESTIONS[1:])


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_every_question_has_an_address_and_keeps_the_flower(open_page: Open, question: Question) -> None:
    app = open_page(photo="example", ask=question.title, explain="rose", against="sunflower")
    assert question.asks in html(app)
    assert app.selectbox(key="explain").value == 74
    assert app.selectbox(key="against").value == 54
    assert any(box.key == "method" for box in app.selectbox) == question.with_map


@pytest.mark.slow
def test_the_flower_stays_when_the_question_changes(open_page: Open) -> None:
    app = open_page(photo="example", explain="rose")
    for question in (*QUESTIONS[1:], QUESTIONS[0]):
        app.segmented_control(key="ask").set_value(question.title)
        run(app)
        assert question.asks in html(app)
        assert app.selectbox(key="explain").value == 74
