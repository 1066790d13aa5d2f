"""*Test yourself*, answered to the end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.resources import records
from flowers_core.evaluation.predictions import Predictions
from tests.app.conftest import run

Open = Callable[..., AppTest]


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


@pytest.mark.slow
def test_without_the_data_set_it_says_what_is_missing(open_page: Open) -> None:
    app = open_page("selftest")
    assert "This needs the test photos" in said(app)
    assert app.button(key="download-test").label == "Download the photos"


@pytest.mark.slow
def test_who_calls_every_answer_right_spots_no_mistake(
    open_page: Open, drawn_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = np.zeros((14, 102), np.float32)
    logits[:7, 4] = 9
    logits[7:, 88] = 9
    predictions = Predictions(np.arange(1, 15), np.full(14, 5), logits)
    monkeypatch.setattr(records, "predictions", lambda *_: predictions)
    app = open_page("selftest")
    for number in range(12):
        assert app.get("progress")[0].proto.text == f"Photo {number + 1} of 12"
        app.button(key="test-right").click()
        run(app)
    assert "| with an explanation | **3 of 6**" in said(app)
    assert "| without | **3 of 6** (19\xa0% to 81\xa0%) | **0 of 3** (0\xa0% to 56\xa0%) |" in said(app)
    table: pd.DataFrame = app.dataframe[0].value
    assert len(table) == 12
    assert table["you were right"].sum() == 6
    app.button(key="test-again").click()
    run(app)
    assert app.get("progress")[0].proto.text == "Photo 1 of 12"
