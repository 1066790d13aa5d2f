"""The tab on what a model does not know: its table and curves hold what was recorded."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app.models.unknown import (
    curve_chart,
    curve_table,
    left_out_sentence,
    left_out_table,
    networks_sentence,
    score_table,
    sentence,
)
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.records.confidence import ROC_STEPS, DetectionFigures, NoveltyFigures
from flowers_core.inference.records.near_novelty import NearDraw, NearNoveltyRecord
from flowers_core.storage.paths import default_models_dir

FIGURES = NoveltyFigures(
    "test",
    6149,
    234,
    1,
    223,
    {
        "max_probability": DetectionFigures(0.94, 0.93, 0.95, 0.37, 0.30, 0.43),
        "familiarity": DetectionFigures(0.996, 0.994, 0.997, 0.013, 0.004, 0.034, (0.0,) * ROC_STEPS + (0.5,)),
    },
)


def test_the_table_has_the_best_score_first() -> None:
    first, second = score_table(FIGURES).to_dict("records")
    assert (first["score"], first["AUROC"], first["pass"]) == ("distance and top probability", 0.996, 0.013)
    assert (first["95 % interval"], first["its interval"]) == ("99.4 to 99.7 %", "0.4 to 3.4 %")
    assert second["score"] == "top probability"


def test_the_curves_that_were_kept_are_drawn() -> None:
    table = curve_table(FIGURES)
    assert set(table["score"]) == {"distance and top probability"}
    assert len(table) == ROC_STEPS + 1
    last = table.iloc[-1]
    assert (last["flowers that pass"], last["others that pass"]) == (1.0, 0.5)
    assert curve_chart(table).to_dict()["mark"]["type"] == "line"


def test_the_sentence_counts() -> None:
    said = sentence(FIGURES)
    assert "6,149 test photos of its flowers against 234 photos" in said
    assert "223 of the 234 look like none of the flowers; 1 is named" in said
    assert "4 are named" in sentence(replace(FIGURES, others_sure=4))


def test_left_out_flowers_have_means_and_ranges() -> None:
    def draw(seed: int, auroc: float, fpr: float) -> NearDraw:
        return NearDraw(seed, (1, 2), 0.9, 100, 50, {"fdbd": DetectionFigures(auroc, 0, 1, fpr, 0, 1)})

    record = NearNoveltyRecord("frozen", "lite", (draw(0, 0.8, 0.6), draw(1, 0.9, 0.4)))
    (row,) = left_out_table(record).to_dict("records")
    assert (row["AUROC"], row["pass"]) == (pytest.approx(0.85), pytest.approx(0.5))
    assert (row["from draw to draw"], row["its range"]) == ("80.0 to 90.0 %", "40.0 to 60.0 %")
    said = left_out_sentence(record)
    assert "100 flowers that were learnt against those of 2 that were not, in 2 draws" in said
    assert "to lite as ImageNet left it" in networks_sentence(record)
    trained = replace(record, protocol="trained")
    assert networks_sentence(trained) == "By the last layers, fine-tuned without these flowers:"
    branched = replace(trained, other_branches=("flowers train",))
    assert networks_sentence(branched) == "By the last layers, fine-tuned without these flowers, in 2 branches:"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "measured"), [("efficientnet_lite0_small", True), ("inception_v3", False)])
def test_the_tab_shows_the_record_or_says_that_there_is_none(
    open_page: Callable[..., AppTest], name: str, measured: bool
) -> None:
    confidence = load_bundle(default_models_dir() / name).manifest.confidence
    assert bool(confidence and confidence.novelty_figures) == measured
    app = open_page("models", bundle=name, depth="Unknown")
    told = [text.value for text in (*app.info, *app.markdown)]
    assert any("tells what it does not know was not measured" in text for text in told) != measured
    assert any("look like none of the flowers" in text for text in told) == measured
