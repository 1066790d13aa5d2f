"""The canvas on the page, as the server sends it."""

import json
from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from app.identify.by_hand.component import HERE
from app.identify.what_if import BY_HAND, EXCHANGE
from flowers_core.data.edit import Edit
from tests.app.conftest import run

Open = Callable[..., AppTest]


def canvases(app: AppTest) -> list[Any]:
    return [json.loads(element.proto.json) for element in app.get("bidi_component")]


def test_what_if_begins_by_hand_with_the_photo_as_it_is(open_page: Open) -> None:
    app = open_page(photo="example", ask="What if")
    (data,) = canvases(app)
    assert data["photo"].startswith("data:image/jpeg;base64,")
    assert data["size"] == [560, 374]
    assert data["number"] == 0
    # One look at the whole photo, which the answer does not follow: its parts are named more surely.
    assert data["answer"]["names"][0][0] == "Marigold"
    assert data["answer"]["subject"] == "What speaks for marigold"
    # What the browser begins with is an edit that the server can read.
    assert Edit.from_json(data["first"] | {"brushed": "00" * 128}).side == 1


def test_a_flower_that_is_asked_about_is_explained(open_page: Open) -> None:
    app = open_page(photo="example", ask="What if", explain="rose", against="sunflower")
    assert canvases(app)[0]["answer"]["subject"] == "What speaks for rose rather than sunflower"


def test_each_way_has_an_address(open_page: Open) -> None:
    app = open_page(photo="example", ask="What if", change=EXCHANGE)
    assert canvases(app) == []
    app.segmented_control(key="change").set_value(BY_HAND)
    run(app)
    assert len(canvases(app)) == 1


def test_its_script_is_a_file_of_the_server(open_page: Open) -> None:
    # As text it would be run from a blob: address, which the policy of deploy/nginx.conf refuses.
    app = open_page(photo="example", ask="What if")
    (element,) = app.get("bidi_component")
    assert (element.proto.js_source_path, element.proto.js_content) == ("hand.js", "")
    assert (HERE / "hand.js").is_file()
