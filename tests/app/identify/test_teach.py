"""Teaching on *Identify*, and every page with a model that was taught."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.identify.taught import lessons_sentence
from flowers_core.inference.records.teaching import TaughtClass
from tests.app.conftest import html, run
from tests.fixtures.drawn_flowers import draw_flower

Open = Callable[..., AppTest]
SMALL = "efficientnet_lite0_small"


def drawn(number: int, look: int = 1) -> bytes:
    buffer = io.BytesIO()
    draw_flower(look, np.random.default_rng(number)).save(buffer, "PNG")
    return buffer.getvalue()


def give(app: AppTest, content: bytes) -> AppTest:
    # The page begins a new uploader for each photo.
    (uploader,) = (each for each in app.file_uploader if str(each.key).startswith("upload"))
    uploader.set_value([("mine.png", content, "image/png")])
    return run(app)


def ask(app: AppTest, name: str, *contents: bytes, round_: int = 0) -> AppTest:
    app.text_input(key="lesson-name").set_value(name)
    files = [(f"{number}.png", content, "image/png") for number, content in enumerate(contents)]
    app.file_uploader(key=f"lesson-photos-{round_}").set_value(files)
    run(app)
    app.button(key="lesson-see").click()
    return run(app)


def said(app: AppTest) -> str:
    return "\n".join([element.value for element in (*app.markdown, *app.warning, *app.success, *app.info)])


def keep(app: AppTest) -> AppTest:
    app.button(key="lesson-keep").click()
    return run(app)


@pytest.fixture
def taught(open_page: Open) -> AppTest:
    """*Identify* after a visitor taught it a drawn flower."""
    app = give(open_page(bundle=SMALL), drawn(0))
    return keep(ask(app, "paper flower", *(drawn(number) for number in range(1, 5))))


@pytest.mark.slow
def test_a_flower_is_taught_named_and_taken_back(open_page: Open) -> None:
    app = give(open_page(bundle=SMALL), drawn(0))
    before = html(app)
    ask(app, "paper flower", *(drawn(number) for number in range(1, 5)))
    assert "**Paper flower** would be flower 103, learnt from 5 photos." in said(app)
    assert "5 of 5 are named rightly" in said(app)
    assert "of the 1,020 photos that it is checked with none is named otherwise" in said(app)
    assert app.selectbox(key="bundle").value == SMALL  # nothing is kept yet

    keep(app)
    assert app.selectbox(key="bundle").value == f"{SMALL}_taught"
    assert "It has learnt paper flower." in said(app)
    assert "this model has learnt paper flower from 5 photos" in said(app)
    assert "<h2>Paper flower</h2>" in html(app)
    give(app, drawn(50))
    assert "<h2>Paper flower</h2>" in html(app)
    assert app.selectbox(key="explain").value == 103
    assert "nearest training photos speak for **paper flower**" in said(app)

    app.button(key="lesson-undo").click()
    run(app)
    assert app.selectbox(key="bundle").value == SMALL
    assert html(give(app, drawn(0))) == before


@pytest.mark.slow
def test_a_mistake_is_corrected(open_page: Open) -> None:
    app = give(open_page(bundle=SMALL), drawn(7, look=4))
    ask(app, "Rose")
    assert "It knows **rose** already: one photo would join that flower." in said(app)
    keep(app)
    assert "<h2>Rose</h2>" in html(app) or "<h2>Probably rose</h2>" in html(app)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "contents", "sentence"),
    [
        ("", [drawn(1)], "Say first what flower it is."),
        ("../rose", [drawn(1)], "no slashes or brackets"),
        ("..", [drawn(1)], "cannot name a flower"),
        ("paper flower", [], "One photo is not enough"),
        ("paper flower", [drawn(0)], "The photo above is among them; it counts once."),
        ("paper flower", [drawn(1), drawn(1)], "1.png is the same photo as another one; it counts once."),
        ("paper flower", [b"no photo", drawn(1)], "0.png is left out."),
        ("RoSe", [drawn(1)], "It knows **rose** already: 2 photos would join that flower."),
    ],
)
def test_what_is_odd_gets_a_sentence(open_page: Open, name: str, contents: list[bytes], sentence: str) -> None:
    app = ask(give(open_page(bundle=SMALL), drawn(0)), name, *contents)
    assert sentence in said(app).replace("\\", "")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["confusions", "models", "dataset"])
def test_every_page_works_with_a_taught_model(taught: AppTest, page: str) -> None:
    taught.switch_page(f"{page}/page.py")
    app = run(taught)
    assert not app.error
    if page != "dataset":
        app.selectbox(key="bundle").select(f"{SMALL}_taught")
        assert not run(app).error


@pytest.mark.slow
@pytest.mark.parametrize("question", ["where", "trust"])
def test_its_maps_are_exact(taught: AppTest, question: str) -> None:
    taught.query_params["why"] = question
    assert not run(taught).error


@pytest.mark.slow
def test_a_visitor_keeps_a_model_only_where_the_owner_allows_it(
    taught: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "taught-keep" not in {button.key for button in taught.button}
    monkeypatch.setenv("FLOWERS_KEEP_MODELS", "1")
    assert "taught-keep" in {button.key for button in run(taught).button}


@pytest.mark.slow
def test_a_name_that_is_taken_or_none_is_refused(taught: AppTest) -> None:
    key = f"taught-name-{SMALL}_taught"
    taught.text_input(key=key).set_value(SMALL)
    assert "already; choose another name" in said(run(taught)).replace("\\", "")
    taught.text_input(key=key).set_value("My Garden!")
    assert "cannot name a model" in said(run(taught))
    taught.text_input(key=key).set_value("my-garden")
    assert run(taught).selectbox(key="bundle").value == "my-garden"


def test_lessons_are_told_in_a_sentence() -> None:
    taught = (TaughtClass("edelweiss", 5, 1.0), TaughtClass("rose", 1, 0.0))
    wanted = "Since it was trained, this model has learnt edelweiss from 5 photos and rose from one photo."
    assert lessons_sentence(taught) == wanted
