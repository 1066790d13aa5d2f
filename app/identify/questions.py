"""Why the model says what it says: one question at a time, each with an address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app.elements.choices import choose_one
from app.elements.told import told
from app.identify.identified import Identified
from app.identify.target_choice import Asked, choose_target
from app.identify.trust import draw_trust_in_map
from app.identify.what import draw_what
from app.identify.what_if import draw_what_if
from app.identify.whence import draw_whence
from app.identify.where import draw_where
from app.identify.why_not_sure import draw_why_not_sure


@dataclass(frozen=True)
class Question:
    """One way to ask why.

    Attributes:
        title: on the page, and in the address.
        asks: the question in plain words.
        draw: draws the answer to it.
        with_map: whether the answer is a map, which one of several methods draws.
        in_doubt: whether it is asked only where the model is not sure.
    """

    title: str
    asks: str
    draw: Callable[[Asked], None]
    with_map: bool = False
    in_doubt: bool = False


#: In the order in which the page offers them.
QUESTIONS = (
    Question("Where", "Which parts of the photo speak for the name?", draw_where, with_map=True),
    Question("What", "Which patterns that the model knows are in the photo, and how much does each count?", draw_what),
    Question("Whence", "Which of the photos that the model learnt from led it to the name?", draw_whence),
    Question("What if", "What would have to look otherwise for the photo to be another flower?", draw_what_if),
    Question(
        "How far to trust it",
        "What does the model do when the brightest parts of the map are taken away?",
        draw_trust_in_map,
        with_map=True,
    ),
    Question(
        "Why not sure",
        "What speaks for each candidate, what would settle it, and how far is the photo from known ones?",
        draw_why_not_sure,
        in_doubt=True,
    ),
)


@st.fragment
@told()
def draw_questions(identified: Identified) -> None:
    """The choice of the question, and its answer. Only this part runs again when one of its controls moves.

    Args:
        identified: the photo and its answer.
    """
    sure = identified.prediction.sure
    asked = {question.title: question for question in QUESTIONS if not (sure and question.in_doubt)}
    question = asked[choose_one("Ask", {title: title for title in asked}, "ask")]
    st.html(f'<p class="lede">{question.asks}</p>')
    question.draw(choose_target(identified, with_map=question.with_map))
