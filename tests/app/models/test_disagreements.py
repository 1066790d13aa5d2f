import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.elements.small_map import runnable, small_map
from app.models.disagreements import disagreement_sentence, disagreement_table, first_pair
from flowers_core.data.photo_ref import oxford
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.comparison import Disagreement
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.prediction import softmax
from tests.app.conftest import html, run
from tests.fixtures.shipped import DEFAULT, TESTED

Open = Callable[..., AppTest]
BUNDLE = TESTED
TAXONOMY = load_taxonomy()


def _expected() -> list[int]:
    """The ids in the order of the page, by NumPy."""
    assert BUNDLE.calibration is not None
    one, other = (load_predictions(BUNDLE.path("test_predictions.npz"), name) for name in ("float16", "int8"))
    where = np.flatnonzero(one.logits.argmax(1) != other.logits.argmax(1))
    sure = np.minimum(*(softmax(a.logits[where], BUNDLE.calibration.temperature).max(1) for a in (one, other)))
    return one.ids[where][np.lexsort((one.ids[where], -sure))].tolist()


@pytest.mark.slow
def test_float_against_int8_photo_by_photo(open_page: Open) -> None:
    app = open_page("models")
    expected = _expected()
    assert any(f"**{len(expected)}** of 6,149 test photos differently" in text.value for text in app.markdown)
    shown = [int(found) for found in re.findall(r"<span>photo</span><b>(\d+)</b>", html(app))]
    assert shown == [photo for photo in expected[:4] for _ in range(3)]
    app.segmented_control(key="side").set_value("after")
    table = disagreement_table(_found(), "a", "b", TAXONOMY)
    right = table[table["right"] == "b"]["photo"].tolist()
    shown = [int(found) for found in re.findall(r"<span>photo</span><b>(\d+)</b>", html(run(app)))]
    assert shown == [photo for photo in right[:4] for _ in range(3)]


@pytest.mark.slow
def test_the_pair_has_an_address(open_page: Open) -> None:
    names = {"first": f"{BUNDLE.name}, int8", "second": f"{BUNDLE.name}, float16"}
    app = open_page("models", **names)
    assert {key: app.selectbox(key=key).value for key in names} == names
    app.selectbox(key="second").set_value(names["first"])
    assert any("two different" in info.value for info in run(app).info)


def test_the_csv_is_the_table() -> None:
    table = disagreement_table(_found(), "one", "other", TAXONOMY)
    rows = list(csv.DictReader(io.StringIO(table.to_csv(index=False))))
    assert [int(row["photo"]) for row in rows] == _expected()
    assert {row["right"] for row in rows} <= {"one", "other", ""}


def test_sentence() -> None:
    found = [Disagreement(1, 5, 5, 6, 0.9, 0.8), Disagreement(2, 5, 7, 6, 0.9, 0.8)]
    assert disagreement_sentence(found, 50, "a", "b") == (
        "They name **2** of 50 test photos differently (4.0 %). Of these 1 goes to a, 0 to b, and on 1 both are wrong."
    )
    assert "the same name" in disagreement_sentence([], 50, "a", "b")
    assert first_pair(["x, float32", "x, float16", "x, int8"]) == ("x, float32", "x, int8")
    assert first_pair(["x, float16", "y, int8"]) == ("x, float16", "y, int8")


def test_a_map_needs_the_photo_and_the_model(drawn_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert runnable(DEFAULT, "float32") == "float16"
    assert runnable(BUNDLE, "dynamic") is None
    drawn = small_map(oxford(1), BUNDLE, "int8", 3, 4)
    assert drawn is not None
    assert drawn.dtype == np.uint8
    assert small_map(oxford(1), BUNDLE, "dynamic", 3) is None
    assert small_map(oxford(8000), BUNDLE, "int8", 3) is None


def _found() -> tuple[Disagreement, ...]:
    from flowers_core.evaluation.comparison import disagreements

    assert BUNDLE.calibration is not None
    t = BUNDLE.calibration.temperature
    one, other = (load_predictions(BUNDLE.path("test_predictions.npz"), name) for name in ("float16", "int8"))
    return disagreements(one, other, t, t)
