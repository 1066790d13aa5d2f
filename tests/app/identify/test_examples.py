"""The example photos: openly licensed, small, and one click from an answer."""

from collections.abc import Callable

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.identify.examples import FOLDER, Example, example_at, examples
from tests.app.conftest import images, run

OPEN = ("CC0", "CC BY 2.0", "CC BY-SA 2.0", "CC BY-SA 3.0", "CC BY-SA 4.0")


def test_every_photo_of_the_folder_is_an_example_with_an_open_licence() -> None:
    assert {example.path.name for example in examples()} == {path.name for path in FOLDER.glob("*.jpg")}
    assert 6 <= len(examples()) <= 10
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for example in examples():
        assert example.licence in OPEN
        assert example.path.stat().st_size <= 150_000
        for said in (example.path.name, example.author, example.licence_url, example.source_url):
            assert said in readme


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_the_photos_are_whole_and_made_smaller_where_they_say_so(example: Example) -> None:
    with Image.open(example.path) as photo:
        photo.load()
        assert (max(photo.size) == 1000) == example.changed
        # What a camera wrote about a person or a place does not travel on.
        assert not example.changed or not photo.getexif()


def test_an_address_names_an_example() -> None:
    dahlia = example_at("example")
    assert dahlia is not None
    assert dahlia.name == "dahlia"
    assert [example_at(example.address) for example in examples()] == list(examples())
    assert example_at("example:nothing") is None


@pytest.mark.slow
def test_a_click_on_an_example_answers(open_page: Callable[..., AppTest]) -> None:
    app = open_page()
    assert not images(app)
    assert len(app.image) == len(examples())
    app.button(key="example-daisies").click()
    run(app)
    assert app.query_params["photo"] == "example:daisies"
    assert "example photo “several”" in images(app)[0].captions[0]
    assert "by jacob, CC BY-SA 4.0" in images(app)[0].captions[0]
    assert "Oxeye daisy" in "\n".join(element.value for element in app.get("html"))


def test_credits_are_on_the_page(open_page: Callable[..., AppTest]) -> None:
    words = "\n".join(markdown.value for markdown in open_page().markdown)
    for example in examples():
        assert example.author in words
        assert example.licence_url in words


def test_an_example_that_does_not_exist_gets_a_sentence(open_page: Callable[..., AppTest]) -> None:
    app = open_page(photo="example:nothing")
    assert not images(app)
    assert len(app.warning) == 1
