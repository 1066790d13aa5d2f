"""What cannot be drawn is told in its place."""

import pytest
from streamlit.testing.v1 import AppTest

from app.elements.told import told


def test_an_expected_error_is_a_sentence_and_what_follows_is_drawn() -> None:
    def page() -> None:
        import streamlit as st

        from app.elements.told import told
        from flowers_core.errors import FlowersError

        @st.fragment
        @told()
        def part() -> None:
            st.markdown("begun")
            raise FlowersError("head.npz is damaged.")

        part()
        with told():
            st.markdown("the rest")

    app = AppTest.from_function(page).run()
    assert [error.value for error in app.error] == ["head.npz is damaged."]
    assert [text.value for text in app.markdown] == ["begun", "the rest"]
    assert not app.exception


def test_a_defect_stays_one() -> None:
    with pytest.raises(ZeroDivisionError), told():
        _ = 1 / 0
