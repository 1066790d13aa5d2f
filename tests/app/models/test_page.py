from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.elements.metrics_table import figure_table, speed_table
from app.models.accuracy_chart import accuracy_chart, published_points
from app.models.learning_curve import learning_curve
from flowers_core.inference.bundle import Bundle, list_bundles, load_bundle
from flowers_core.inference.records.latency import Latency, Timing
from flowers_core.inference.records.metrics import AccuracyByRule, NearDuplicateRule
from flowers_core.storage.paths import default_models_dir
from tests.app.conftest import html
from tests.fixtures.manifests import linked_copy
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]
BUNDLE = TESTED


@pytest.mark.slow
def test_every_figure_is_the_record_s(open_page: Open) -> None:
    bundles = {bundle.name: bundle for bundle in list_bundles(default_models_dir())}
    app = open_page("models", bundle="inception_v3")
    overview, one = (app.dataframe[place].value for place in (0, 1))
    assert list(zip(overview["model"], overview["precision"], strict=True)) == [(name, "int8") for name in bundles]
    assert list(zip(one["model"], one["precision"], strict=True)) == [
        ("inception_v3", precision)
        for precision in ("float32", "float16", "dynamic", "int8")
        if precision in bundles["inception_v3"].metrics
    ]
    for row in [*overview.to_dict("records"), *one.to_dict("records")]:
        bundle = bundles[row["model"]]
        assert row["MB"] == bundle.manifest.model_bytes[row["precision"]] / 1e6
        assert row["training photos"] == bundle.training.photos
        if bundle.sibling:
            assert np.isnan(row["top-1"])
            continue
        test = bundle.metrics[row["precision"]]["test"]
        assert row["top-1"] == pytest.approx(100 * test.top1)
        assert row["mean per class"] == pytest.approx(100 * test.balanced_accuracy)
        assert row["top-5"] == pytest.approx(100 * test.top5)
        assert row["calibration error"] == pytest.approx(100 * test.ece)


@pytest.mark.slow
def test_figures_with_and_without_copies(open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = BUNDLE.metrics["int8"]["test"].without_duplicates
    assert without is not None
    alone = AccuracyByRule(**vars(replace(without, photos=6137, top1=0.5)), rule=NearDuplicateRule(11, 0.75, "seer"))
    test = replace(BUNDLE.metrics["int8"]["test"], without_near_duplicates=alone)
    metrics = {**BUNDLE.metrics, "int8": {**BUNDLE.metrics["int8"], "test": test}}
    linked_copy(BUNDLE, tmp_path / BUNDLE.name, metrics=metrics)
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    app = open_page("models")
    table = next(frame.value for frame in app.dataframe if "test photos" in frame.value)
    rows = table[table["precision"] == "int8"].set_index("test photos")
    assert rows["photos"].to_dict() == {
        "all": test.photos,
        "without copies": without.photos,
        "without near copies": 6137,
    }
    assert rows["top-1"].tolist() == pytest.approx([100 * test.top1, 100 * without.top1, 50])
    said = next(text.value for text in app.markdown if "near copy" in text.value)
    assert "11 of 64 bits" in said
    assert "by seer has a cosine of 0.75 or more" in said


@pytest.mark.slow
def test_how_it_was_made_can_be_read(open_page: Open) -> None:
    page = html(open_page("models", bundle=BUNDLE.name))
    assert BUNDLE.training.command.line() in page
    assert BUNDLE.manifest.data is not None
    assert BUNDLE.manifest.data.fingerprint in page


@pytest.mark.slow
def test_no_model_is_a_sentence(open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    assert "There is no model here" in open_page("models").info[0].value
    assert "There is no model here" in open_page("confusions").error[0].value
    assert "There is no model here" in open_page(photo="example").error[0].value


def test_the_curve_is_the_record_of_the_epochs() -> None:
    epochs = [
        {"epoch": 1, "learning_rate": 1e-4, "training_top1": 0.5, "validation_top1": None},
        {"epoch": 2, "learning_rate": 2e-4, "training_top1": 0.75, "validation_top1": 0.625},
    ]
    chart = learning_curve({"epochs": epochs})
    assert chart is not None
    points = chart.vconcat[0].data
    assert points[points["photos"] == "validation photos"]["top-1"].tolist()[1:] == [0.625]
    assert points[points["photos"] == "training photos, augmented"]["top-1"].tolist() == [0.5, 0.75]
    assert chart.vconcat[1].data["learning_rate"].tolist() == [1e-4, 2e-4]
    assert learning_curve({"epochs": []}) is None
    assert learning_curve({}) is None


@pytest.mark.slow
def test_a_model_without_measurements_says_so(open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = ("history.json", "explanations.json", "flower_shares.npz")
    linked_copy(BUNDLE, tmp_path / BUNDLE.name, without=without, latency=Latency())
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(tmp_path))
    said = [info.value for info in open_page("models").info]
    for words in ("The speed of", "without a record of its epochs", "were not measured"):
        assert any(words in sentence for sentence in said), words


def test_times_of_different_machines_do_not_stand_side_by_side(tmp_path: Path) -> None:
    latency = replace(BUNDLE.latency, machine="another")
    elsewhere = load_bundle(linked_copy(BUNDLE, tmp_path / BUNDLE.name, latency=latency))
    assert figure_table((BUNDLE, BUNDLE))["ms a photo"].notna().any()
    assert figure_table((BUNDLE, elsewhere))["ms a photo"].isna().all()


def test_chart_needs_figures() -> None:
    table = figure_table((BUNDLE,))
    chart = accuracy_chart(table)
    assert chart is not None
    assert accuracy_chart(table.assign(**{"top-1": None})) is None


def test_the_published_models_are_in_the_chart() -> None:
    points = published_points()
    assert dict(zip(points["precision"], points["MB"], strict=True)) == {
        "Keras": 80.6,
        "float32": 42.2,
        "float16": 21.1,
        "int8": 10.9,
    }
    assert points["top-1"].between(0.861, 0.8615).all()


def test_the_speed_table_says_how_much_memory_each_way_takes() -> None:
    row = Timing(4.0, 5.0, 1.0)
    ways = ("int8, 1 thread", "int8, 2 threads", "keras predict", "keras tf.function")
    latency = Latency(paths=dict.fromkeys(ways, row), peak_megabytes={"int8": 60.0, "keras": 700.0})
    bundle = Bundle(BUNDLE.folder, replace(BUNDLE.manifest, latency=latency))
    table = speed_table(bundle.latency)
    known = table.dropna(subset=["memory, MB"])
    assert dict(zip(known["way"], known["memory, MB"], strict=True)) == {"int8, 1 thread": 60.0, "keras predict": 700.0}


def test_the_speed_table_says_how_many_threads_each_way_had() -> None:
    latency = Latency(paths={"keras predict": Timing(4.0, 5.0, 6.0, ratio_to_int8_same_threads=3.0, threads=2)})
    bundle = Bundle(BUNDLE.folder, replace(BUNDLE.manifest, latency=latency))
    (shown,) = speed_table(bundle.latency).to_dict("records")
    assert (shown["threads"], shown["times int8"], shown["times int8, same threads"]) == (2, 6.0, 3.0)
