"""The training photos that taught mistakes, on the page as the library finds them."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.confusions.taught import taught_sentence, teachers
from flowers_core.data.photo_ref import oxford
from flowers_core.evaluation.predictions import Predictions
from flowers_core.evaluation.report import Mistake
from flowers_core.explain.representers import representers_of
from tests.app.conftest import html

Open = Callable[..., AppTest]


def test_a_mislabelled_photo_is_first_among_the_teachers() -> None:
    """Three classes in three directions, and one photo between the first and the second that is labelled 2."""
    embeddings = np.array([[1.0, 0, 0]] * 3 + [[0, 1.0, 0]] * 3 + [[0, 0, 1.0]] * 3 + [[0.4, 1.2, 0]])
    labels = np.array([1, 1, 1, 2, 2, 2, 3, 3, 3, 2])
    found = representers_of(np.arange(100, 110), labels, embeddings, np.eye(3, dtype=np.float32))
    predictions = Predictions(np.array([7]), np.array([1]), np.array([[1.0, 1.5, 0.0]], np.float32))
    shown = teachers(found, predictions, [Mistake(oxford(7), 1, 2, 0.6, 0.4)], most=4)
    assert shown[0][:2] == (109, 2)
    assert shown[0][2] > shown[1][2] > 0
    assert all(label == 2 for _, label, _ in shown)


@pytest.mark.slow
def test_the_page_shows_them_on_request(open_page: Open) -> None:
    app = open_page("confusions", precision="int8", true="rose", taught="true")
    assert "Of all that speaks for the wrong name" in "\n".join(element.value for element in app.markdown)
    assert html(app).count("of it<br>") == 8


def test_the_sentence_counts() -> None:
    assert taught_sentence(1, 0.25, 8, 2040).startswith(
        "Of all that speaks for the wrong name in this mistake, 25\xa0% comes from these 8 of 2,040 training photos."
    )
    assert "these 3 mistakes" in taught_sentence(3, 0.25, 8, 2040)
