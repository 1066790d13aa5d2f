"""Which photo *Identify* is about: what was given, or what the address names."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import drawn_photo, html, images, run
from tests.app.identify.test_page import bars, encoded, upload

Open = Callable[..., AppTest]


def caption(app: AppTest) -> str:
    return images(app)[0].captions[0]


@pytest.mark.slow
def test_the_way_back_from_the_example_leads_to_the_file(open_page: Open) -> None:
    app = upload(open_page(), "drawn.png", encoded(drawn_photo(), "PNG"), "image/png")
    mine = bars(app)
    app.button(key="use-example").click()
    run(app)
    assert "the example photo" in caption(app)
    # What the browser's button does: the address is the one before.
    del app.query_params["photo"]
    run(app)
    # The uploader names no file that the page does not show: what it held was taken, and it is ready for the next.
    assert app.file_uploader[0].value == []
    assert "drawn.png" in caption(app)
    assert bars(app) == mine
    # Forward again, and the photo taken away: the address still says what is shown.
    app.query_params["photo"] = "example"
    run(app)
    app.button(key="forget-own").click()
    run(app)
    assert "the example photo" in caption(app)
    del app.query_params["photo"]
    assert not images(run(app))


@pytest.mark.parametrize("wanted", ["9" * 5000, "a" * 5000, "custom:meadow:" + "1" * 5000, "custom:nowhere:3", "²"])
def test_an_address_that_names_no_photo_gets_a_short_sentence(open_page: Open, wanted: str) -> None:
    app = open_page(photo=wanted)
    assert [len(warning.value) < 250 for warning in app.warning] == [True]
    assert not images(app)
    assert not app.error


def test_a_number_beyond_the_data_set_gets_its_range(open_page: Open, drawn_dataset: Path) -> None:
    drawn = len(list((drawn_dataset / "jpg").iterdir()))
    app = open_page(photo="2000004")
    assert app.warning[0].value == f"The data set has no photo “2000004”: its photos are numbered 1 to {drawn}."


@pytest.mark.parametrize("wanted", ["[see](//elsewhere.example)", "custom:![x](//elsewhere.example/a.png):1"])
def test_an_address_brings_no_link_and_no_picture_from_elsewhere(open_page: Open, wanted: str) -> None:
    said = open_page(photo=wanted).warning[0].value
    assert r"\]" in said
    assert "](" not in said.replace(r"\](", "")


@pytest.mark.slow
def test_the_name_of_a_file_is_only_words(open_page: Open) -> None:
    app = upload(open_page(), "![x](a) <b>b</b>.png", encoded(drawn_photo(), "PNG"), "image/png")
    assert caption(app).startswith(r"\!\[x\](a) \<b\>b\</b\>.png · 320 × 240")
    assert "<b>b" not in html(app)
