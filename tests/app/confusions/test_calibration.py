from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.confusions.calibration import (
    curve_chart,
    curve_table,
    operating_sentence,
    recorded_chart,
    recorded_sentence,
    recorded_table,
    reliability_chart,
    reliability_table,
)
from app.elements.words import percent
from flowers_core.evaluation.calibration import reliability
from flowers_core.evaluation.confusion_matrix import confusion_matrix, order_by_confusion
from flowers_core.evaluation.predictions import Predictions, load_predictions
from flowers_core.evaluation.risk_coverage import OperatingPoint, coverage_curve
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.prediction import softmax
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import run
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def answers() -> tuple[Predictions, np.ndarray]:
    bundle = TESTED
    assert bundle.calibration is not None
    predictions = load_predictions(bundle.path("test_predictions.npz"), "int8")
    return predictions, softmax(predictions.logits, bundle.calibration.temperature)


@pytest.mark.slow
def test_the_sentence_counts_what_the_bar_lets_through(
    open_page: Open, answers: tuple[Predictions, np.ndarray]
) -> None:
    predictions, probabilities = answers
    app = open_page("confusions", precision="int8", sure="75")
    for bar in (75, 50):
        if bar != 75:
            app.slider(key="sure").set_value(bar)
            run(app)
        given = probabilities.max(axis=1) >= bar / 100
        right = (predictions.predicted == predictions.labels)[given].mean()
        wanted = f"answers **{percent(given.mean())}** of the photos and is right on **{percent(right)}**"
        assert any(wanted in text.value for text in app.markdown), wanted


def test_sentences() -> None:
    assert operating_sentence(OperatingPoint(0.9, 0.71, 0.99, 71)) == (
        "At 90 % sure or more it answers **71\xa0%** of the photos and is right on **99\xa0%**."
    )
    assert (
        operating_sentence(OperatingPoint(0.99, 0.0, None, 0))
        == "At 99 % sure or more it would answer none of the photos."
    )


def test_the_charts_hold_the_curves(answers: tuple[Predictions, np.ndarray]) -> None:
    predictions, probabilities = answers
    curve = coverage_curve(probabilities, predictions.labels)
    table = curve_table(curve)
    assert len(table) <= 320
    assert table["photos answered"].iloc[-1] == 1
    assert table["answers right"].iloc[-1] == pytest.approx((predictions.predicted == predictions.labels).mean())
    assert len(curve_chart(table, curve.at(0.9), curve).to_dict()["layer"]) == 2
    assert len(curve_chart(table, curve.at(1.0), curve).to_dict()["layer"]) in (1, 2)
    bins = reliability_table(reliability(probabilities, predictions.labels))
    assert bins["photos"].sum() == len(predictions)
    assert len(reliability_chart(bins).to_dict()["layer"]) == 2


@pytest.mark.slow
def test_the_diagram_of_the_confidence_is_that_of_the_record(open_page: Open) -> None:
    confidence = load_bundle(default_models_dir() / "efficientnet_lite0_small").manifest.confidence
    assert confidence is not None
    recorded = confidence.figures["test"]
    table = recorded_table(recorded)
    for kind, figures in recorded.items():
        bins = table[table["of"] == kind]
        assert bins["photos"].sum() == figures.photos
        gap = (bins["photos"] * (bins["right"] - bins["certainty"]).abs()).sum() / figures.photos
        assert gap == pytest.approx(figures.ece)
    assert len(recorded_chart(table).to_dict()["layer"]) == 2
    app = open_page("confusions", bundle="efficientnet_lite0_small", precision="int8")
    assert any(text.value == recorded_sentence(recorded) for text in app.markdown)
    clean, corrupted = (f"{100 * recorded[kind].ece:.1f}" for kind in ("clean", "corrupted"))
    assert f"are {clean} points apart on average on clean photos, {corrupted} on corrupted ones." in recorded_sentence(
        recorded
    )
    assert recorded_table({}).empty


@pytest.mark.slow
def test_the_matrix_can_be_ordered_by_what_is_mixed_up(
    open_page: Open, answers: tuple[Predictions, np.ndarray]
) -> None:
    order = order_by_confusion(confusion_matrix(answers[0]))
    assert sorted(order) == list(range(1, 103))
    app = open_page("confusions")
    assert "what is mixed up" in app.segmented_control(key="order").options
    app.segmented_control(key="order").set_value("what is mixed up")
    run(app)
    assert app.segmented_control(key="order").value == "what is mixed up"
