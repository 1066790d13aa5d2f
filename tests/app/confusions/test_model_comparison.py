from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.confusions.model_comparison import change_table, class_changes, comparison_sentence
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.comparison import Change, Comparison, compare
from flowers_core.evaluation.predictions import Predictions, load_predictions, stored_precisions
from flowers_core.inference.prediction import softmax
from tests.app.conftest import missing_photos, run
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]
BUNDLE = TESTED
TAXONOMY = load_taxonomy()
OTHER = next(name for name in stored_precisions(BUNDLE.path("test_predictions.npz")) if name != "int8")


@pytest.fixture(scope="module")
def answers() -> dict[str, Predictions]:
    path = BUNDLE.path("test_predictions.npz")
    return {"int8": load_predictions(path, "int8"), OTHER: load_predictions(path, OTHER)}


@pytest.mark.slow
def test_another_precision_in_the_address(open_page: Open, answers: dict[str, Predictions]) -> None:
    app = open_page("confusions", precision="int8", **{"compare-with": f"{BUNDLE.name}, {OTHER}"})
    right = {name: answer.predicted == answer.labels for name, answer in answers.items()}
    ids = answers["int8"].ids
    fixed, broken = ids[right["int8"] & ~right[OTHER]], ids[~right["int8"] & right[OTHER]]
    said = next(text.value for text in app.markdown if "McNemar" in text.value)
    assert f"gets **{len(fixed)}** right" in said
    assert f"**{len(broken)}** wrong" in said
    assert missing_photos(app)[: min(12, len(fixed))] == fixed[:12].tolist()
    app.segmented_control(key="changed").set_value("broken")
    assert missing_photos(run(app))[: min(12, len(broken))] == broken[:12].tolist()


def test_sentences_and_tables(answers: dict[str, Predictions]) -> None:
    found = compare(answers[OTHER], answers["int8"])
    table = change_table(found, TAXONOMY)
    assert table["fixed"].sum() == len(found.fixed)
    assert len(table) == len(found.fixed) + len(found.broken)
    assert class_changes(found, TAXONOMY)["gained"].sum() == len(found.fixed) - len(found.broken)
    change = Change(1, 2, 3, 2)
    assert "less than once in 100 times" in comparison_sentence(Comparison(9, (change,), (), 0.01), "x")
    assert "may well be luck" in comparison_sentence(Comparison(9, (change,), (), 0.5), "x")
    assert "right and wrong where x is" in comparison_sentence(Comparison(9, (), (), 1.0), "x")


@pytest.mark.slow
def test_filters_narrow_the_mistakes(open_page: Open, answers: dict[str, Predictions]) -> None:
    app = open_page("confusions", precision="int8", family="Asteraceae")
    app.slider(key="certainty").set_value((50, 80))
    run(app)
    predictions = answers["int8"]
    assert BUNDLE.calibration is not None
    top = softmax(predictions.logits, BUNDLE.calibration.temperature).max(axis=1)
    family = np.array([TAXONOMY[int(label)].family == "Asteraceae" for label in predictions.labels])
    kept = family & (top >= 0.5) & (top <= 0.8)
    wrong = kept & (predictions.predicted != predictions.labels)
    said = next(text.value for text in app.markdown if "are counted" in text.value)
    assert said.startswith(f"**{wrong.sum()}** of {kept.sum():,} test photos")
    assert "of the family Asteraceae and given 50 to 80 % certainty" in said
    assert set(missing_photos(app)) <= set(predictions.ids[wrong].tolist())
