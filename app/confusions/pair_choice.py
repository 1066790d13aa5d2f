"""Which confusion is looked at: a true class and what it was called, kept in the page's address."""

import streamlit as st

from app.elements.choices import by_name, choose_flower
from app.elements.pagination import first_page
from flowers_core.data.taxonomy import Taxonomy

TRUE, CALLED, BESIDE = "true", "called", "beside"
# The list of mistakes, whose page number begins anew with another pair.
MISTAKES = "mistakes"


def choose_pair(true: int | None, called: int | None) -> None:
    """Set the pair from a click elsewhere on the page. Only in callbacks: before the select boxes are drawn.

    Args:
        true: the true label; None for any.
        called: the predicted label; None for any.
    """
    st.session_state[TRUE] = true
    st.session_state[CALLED] = called
    first_page(MISTAKES)
    # Of a single pair one wants to know why; in a long list the photos alone.
    st.session_state[BESIDE] = true is not None and called is not None


def draw_pair_choice(taxonomy: Taxonomy) -> tuple[int | None, int | None]:
    """Two select boxes to search by name: what the photos show, and what they were called. None is any."""
    left, right = st.columns(2)
    with left:
        true = _choose("The photo shows", taxonomy, TRUE)
    with right:
        called = _choose("The model said", taxonomy, CALLED)
    return true, called


def _choose(label: str, taxonomy: Taxonomy, key: str) -> int | None:
    return choose_flower(
        label, by_name(taxonomy), taxonomy, key, anything="any flower", on_change=first_page, args=(MISTAKES,)
    )
