"""What somebody sees who waits for a turn."""

import threading
from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.elements.turn import waiting_words
from app.resources.turns import heavy_work
from tests.app.conftest import run

Open = Callable[..., AppTest]


def test_the_place_in_line_is_in_words() -> None:
    assert waiting_words(1, "LIME") == (
        "LIME: one other person is before you. It begins by itself when it is your turn."
    )
    assert waiting_words(12, "Occlusion").startswith("Occlusion: 12 other people are before you.")


def test_a_bar_says_how_many_are_before_until_the_turn_comes() -> None:
    class Bar:
        def __init__(self) -> None:
            self.said: list[str] = []

        def progress(self, share: float, text: str) -> None:
            assert share == 0.0
            self.said.append(text)
            leave.set()

    st.cache_resource.clear()
    from app.elements.turn import turn

    bar, at_work, leave = Bar(), threading.Event(), threading.Event()

    def somebody() -> None:
        with heavy_work().turn(pytest.fail):
            at_work.set()
            assert leave.wait(20)

    other = threading.Thread(target=somebody)
    other.start()
    assert at_work.wait(20)
    with turn(bar, "LIME"):
        other.join(20)
        assert not other.is_alive()
    assert set(bar.said) == {waiting_words(1, "LIME")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ask", "method", "button", "what"),
    [("Where", "LIME", "run-lime", "LIME"), ("How far to trust it", "Evidence", "trust", "The test")],
)
def test_the_page_of_somebody_who_waits_says_so_and_who_leaves_frees_the_place(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, ask: str, method: str, button: str, what: str
) -> None:
    app = open_page(photo="example", ask=ask, method=method)
    turns, at_work, leave = heavy_work(), threading.Event(), threading.Event()
    take = turns.turn

    def somebody() -> None:
        with take(pytest.fail):
            at_work.set()
            assert leave.wait(60)

    def told_once(waiting: Callable[[int], None]):
        def wait(before: int) -> None:
            waiting(before)
            st.stop()  # as a click on anything else does

        return take(wait)

    other = threading.Thread(target=somebody)
    other.start()
    try:
        assert at_work.wait(20)
        monkeypatch.setattr(turns, "turn", told_once)
        app.button(key=button).click()
        run(app)
        said = app.get("progress")[0].proto.text
        assert said.startswith(what)
        assert "one other person is before you" in said
    finally:
        leave.set()
        other.join(20)
    with take(pytest.fail):
        pass
