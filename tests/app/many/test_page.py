"""*Many photos*: every file gets a row, the rows can be filtered and opened, and what is taken away is whole."""

import io
import zipfile
from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.elements.csv_button import as_csv
from app.identify.examples import FOLDER
from app.many.naming import progress_words
from app.many.results import DOUBT, SURE, UNREAD, of_kind
from app.many.rows import Row
from flowers_core.data.photos import read_photo
from flowers_core.data.taxonomy import load_taxonomy
from tests.app.conftest import run
from tests.app.identify.test_page import expected

Open = Callable[..., AppTest]
NAMES = ("poppies", "coffee")
TAXONOMY = load_taxonomy()


@pytest.fixture
def given(open_page: Open) -> AppTest:
    app = open_page("many")
    photos = [(f"album/{name}.jpg", (FOLDER / f"{name}.jpg").read_bytes(), "image/jpeg") for name in NAMES]
    app.file_uploader[0].set_value(
        [*photos, ("album/notes.txt", b"no photo", "text/plain"), ("album/.hidden", b"x", "")]
    )
    return run(app)


def shown(app: AppTest) -> pd.DataFrame:
    return app.dataframe[0].value


@pytest.mark.slow
def test_every_photo_gets_the_answer_that_it_gets_alone(given: AppTest) -> None:
    table = shown(given)
    assert list(table["photo"]) == ["album/poppies.jpg", "album/coffee.jpg", "album/notes.txt"]
    for row, name in enumerate(NAMES):
        best = expected((FOLDER / f"{name}.jpg").read_bytes())[0].candidates[0]
        assert table["answer"][row].lower() == TAXONOMY[best.label].name.lower()
        assert table["probability"][row] == pytest.approx(100 * best.probability)
    assert table["answer"][2].startswith("This is a text file, not a photo.")
    assert table["how sure"][2] == "not read"
    # Nothing is named twice when the page is drawn again.
    assert len(shown(run(given))) == 3


@pytest.mark.slow
def test_filters_narrow_the_table(given: AppTest) -> None:
    given.segmented_control(key="many-show").set_value(UNREAD)
    assert list(shown(run(given))["photo"]) == ["album/notes.txt"]
    given.segmented_control(key="many-show").set_value("all")
    given.slider(key="many-least").set_value(100)
    run(given)
    assert not given.dataframe
    assert given.info[0].value == "No photo passes these filters."
    given.button(key="many-forget").click()
    assert not run(given).dataframe


def test_rows_are_sure_in_doubt_or_unread() -> None:
    prediction, _ = expected((FOLDER / "dahlia.jpg").read_bytes())
    row = Row("a.jpg", None, prediction, "", "tiny", TAXONOMY)
    assert [of_kind(row, kind) for kind in (SURE, DOUBT, UNREAD)] == [prediction.sure, not prediction.sure, False]
    assert [of_kind(Row("b", None, None, "empty", "tiny", TAXONOMY), kind) for kind in ("all", SURE, UNREAD)] == [
        True,
        False,
        True,
    ]


def test_what_is_taken_away_is_whole() -> None:
    from app.many.results import _HEADER, _packed, _values
    from app.resources.own_photos import OwnPhoto
    from flowers_core.reports.named_folder import named_folder

    content = (FOLDER / "dahlia.jpg").read_bytes()
    prediction, _ = expected(content)
    photo = read_photo(content)
    own = OwnPhoto("dahlia.jpg", photo.sha256, "JPEG", photo.original_size, content, content)
    rows = [
        Row("trip/dahlia.jpg", own, prediction, "", "tiny", TAXONOMY),
        Row("x.txt", None, None, "This is a text file.", "tiny", TAXONOMY),
    ]
    values = [_values(row) for row in rows]
    assert all(len(row) == len(_HEADER) for row in values)
    table = pd.read_csv(io.BytesIO(as_csv(pd.DataFrame(values, columns=list(_HEADER)))))
    assert list(table["photo"]) == ["trip/dahlia.jpg", "x.txt"]
    assert table["name"][0] == TAXONOMY[prediction.candidates[0].label].name
    with zipfile.ZipFile(io.BytesIO(named_folder([_packed(row) for row in rows], _HEADER))) as archive:
        folder = table["name"][0] if prediction.sure else "not sure"
        assert sorted(archive.namelist()) == sorted(["names.csv", f"{folder}/dahlia.jpg"])


def test_the_time_left_is_said_in_words() -> None:
    assert progress_words(10, 40, 5.0) == "10 of 40 photos, about 15 s left"
    assert progress_words(1, 300, 1.0) == "1 of 300 photos, about 5 min left"
    assert progress_words(40, 40, 5.0) == "40 of 40 photos, nearly done"
