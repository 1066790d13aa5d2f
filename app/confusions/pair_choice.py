"""Which confusion is looked at: a true class and what it was called, kept in the page's address."""

import streamlit as st

from flowers_core.data.taxonomy import Taxonomy

TRUE, CALLED, BESIDE = "class", "called", "beside"


def choose_pair(true: int | None, called: int | None) -> None:
    """Set the pair from a click elsewhere on the page. Only in callbacks: before the select boxes are drawn."""
    st.session_state[TRUE] = true
    st.session_state[CALLED] = called
    st.session_state["page"] = 1
    # Of a single pair one wants to know why; in a long list the photos alone.
    st.session_state[BESIDE] = true is not None and called is not None


def draw_pair_choice(taxonomy: Taxonomy) -> tuple[int | None, int | None]:
    """Two select boxes to search by name: what the photos show, and what they were called. None is any."""
    labels = [taxon.label for taxon in sorted(taxonomy, key=lambda taxon: taxon.name)]
    left, right = st.columns(2)
    with left:
        true = _select("The photo shows", labels, taxonomy, TRUE)
    with right:
        called = _select("The model said", labels, taxonomy, CALLED)
    return true, called


def _select(label: str, labels: list[int], taxonomy: Taxonomy, key: str) -> int | None:
    return st.selectbox(
        label,
        labels,
        index=None,
        format_func=lambda choice: taxonomy[choice].name,
        key=key,
        bind="query-params",
        placeholder="any flower",
        filter_mode="contains",
        on_change=_first_page,
    )


def _first_page() -> None:
    st.session_state["page"] = 1
