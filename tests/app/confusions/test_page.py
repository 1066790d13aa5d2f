import csv
import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.confusions.class_report import class_table, pair_table
from app.confusions.matrix_chart import by_family, by_label, by_name, cells, matrix_chart, most_confused
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.confusion_matrix import confusion_matrix
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.evaluation.report import report
from tests.app.conftest import html, missing_photos, run
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]
BUNDLE = TESTED
TAXONOMY = load_taxonomy()


@pytest.fixture(scope="module")
def stored() -> dict[str, np.ndarray]:
    with np.load(BUNDLE.path("test_predictions.npz"), allow_pickle=False) as record:
        return {name: record[name] for name in record.files}


def predicted(stored: dict[str, np.ndarray], precision: str = "int8") -> np.ndarray:
    return stored[f"logits_{precision}"].argmax(axis=1) + 1


@pytest.mark.slow
def test_says_how_many_are_wrong(open_page: Open, stored: dict[str, np.ndarray]) -> None:
    app = open_page("confusions")
    wrong = int((predicted(stored) != stored["labels"]).sum())
    assert f"{wrong:,} were given a wrong name" in html(app)
    assert len(missing_photos(app)) == 12


@pytest.mark.slow
def test_a_class_in_the_address_shows_its_mistakes_page_by_page(open_page: Open, stored: dict[str, np.ndarray]) -> None:
    label = 51  # petunia: the class with most test photos, so with several pages
    wanted = set(stored["ids"][(stored["labels"] == label) & (predicted(stored) != label)].tolist())
    app = open_page("confusions", true=TAXONOMY[label].name)
    seen = missing_photos(app)
    pages = -(-len(wanted) // 12)
    assert pages > 1
    for page in range(2, pages + 1):
        app.pagination(key="mistakes-page").select(page)
        seen += missing_photos(run(app))
    assert len(seen) == len(wanted)
    assert set(seen) == wanted


@pytest.mark.slow
def test_a_pair_in_the_address(open_page: Open, stored: dict[str, np.ndarray]) -> None:
    matrix = np.zeros((103, 103), int)
    np.add.at(matrix, (stored["labels"], predicted(stored)), 1)
    np.fill_diagonal(matrix, 0)
    true, called = np.unravel_index(matrix.argmax(), matrix.shape)
    wanted = stored["ids"][(stored["labels"] == true) & (predicted(stored) == called)]
    pair = {"true": TAXONOMY[int(true)].name, "called": TAXONOMY[int(called)].name}
    app = open_page("confusions", beside="false", **pair)
    assert set(missing_photos(app)) == set(wanted[:12].tolist()) or len(wanted) > 12
    assert set(missing_photos(app)) <= set(wanted.tolist())
    assert any(m.value.startswith(f"**{len(wanted)}** of") for m in app.markdown)


@pytest.mark.slow
def test_many_photos_a_page_are_one_sheet(open_page: Open, stored: dict[str, np.ndarray]) -> None:
    app = open_page("confusions", many="200")
    wrong = set(stored["ids"][predicted(stored) != stored["labels"]].tolist())
    linked = [int(found) for found in re.findall(r'href="\./\?photo=(\d+)"', html(app))]
    assert len(linked) == len(set(linked)) == min(200, len(wrong))
    assert set(linked) <= wrong


@pytest.mark.slow
def test_a_page_beyond_the_last_becomes_the_last(open_page: Open) -> None:
    app = open_page("confusions")
    app.pagination(key="mistakes-page").select(app.pagination(key="mistakes-page").num_pages)
    run(app)
    app.segmented_control(key="precision").set_value("float32")
    app.selectbox(key="true").select(51)
    assert missing_photos(run(app))


@pytest.mark.slow
def test_each_evaluated_precision_can_be_browsed(open_page: Open, stored: dict[str, np.ndarray]) -> None:
    precisions = [name.removeprefix("logits_") for name in stored if name.startswith("logits_")]
    app = open_page("confusions")
    assert list(app.segmented_control(key="precision").options) == precisions
    for precision in precisions:
        wrong = int((predicted(stored, precision) != stored["labels"]).sum())
        app = open_page("confusions", precision=precision)
        assert f"{wrong:,} were given a wrong name" in html(app)


@pytest.mark.slow
def test_confidence_and_names_are_on_the_cards(open_page: Open, stored: dict[str, np.ndarray]) -> None:
    logits = stored["logits_int8"].astype(np.float64) / BUNDLE.calibration.temperature
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    app = open_page("confusions", true="rose")
    captions = re.findall(r'<p class="card">(.*?)</p>', html(app), re.DOTALL)
    assert captions
    for caption in captions:
        text = unescape(re.sub(r"<[^>]+>", "\n", caption))
        name, called, sure, number = [line.strip() for line in text.split("\n") if line.strip()]
        at = int(np.flatnonzero(stored["ids"] == int(number.removeprefix("photo ")))[0])
        assert name == "Rose"
        assert called == f"called {TAXONOMY[int(predicted(stored)[at])].name}"
        share = probabilities[at].max()
        assert sure == (">\xa099\xa0% sure" if share >= 0.995 else f"{100 * share:.0f}\xa0% sure")


@pytest.mark.slow
def test_photos_are_shown_where_they_are(open_page: Open, drawn_dataset: Path, stored: dict[str, np.ndarray]) -> None:
    # Label 77 has the lowest ids of Oxford's numbering; the drawn data set has those numbers too.
    drawn = len(list((drawn_dataset / "jpg").iterdir()))
    wrong = stored["ids"][predicted(stored) != stored["labels"]]
    label = int(stored["labels"][stored["ids"] == wrong.min()][0])
    app = open_page("confusions", true=TAXONOMY[label].name)
    mine = stored["ids"][(stored["labels"] == label) & (predicted(stored) != label)]
    if (mine <= drawn).any():
        assert len(app.image) > 0
    assert len(app.image) + len(missing_photos(app)) == min(12, len(mine))


def test_tables_hold_scikit_learn_s_figures(stored: dict[str, np.ndarray]) -> None:
    from sklearn.metrics import precision_recall_fscore_support

    found = load_predictions(BUNDLE.path("test_predictions.npz"), "int8")
    table = class_table(report(found), TAXONOMY).sort_values("number")
    precision, recall, f1, support = precision_recall_fscore_support(
        stored["labels"], predicted(stored), labels=range(1, 103), zero_division=0
    )
    np.testing.assert_allclose(table["precision"], precision)
    np.testing.assert_allclose(table["recall"], recall)
    np.testing.assert_allclose(table["F1"], f1)
    np.testing.assert_array_equal(table["photos"], support)
    assert table["class"].tolist() == list(TAXONOMY.names)


def test_csv_is_the_table() -> None:
    found = load_predictions(BUNDLE.path("test_predictions.npz"), "int8")
    table = class_table(report(found), TAXONOMY)
    rows = list(csv.DictReader(io.StringIO(table.to_csv(index=False))))
    assert [row["class"] for row in rows] == table["class"].tolist()
    assert [float(row["F1"]) for row in rows] == table["F1"].tolist()
    pairs = pair_table(confusion_matrix(found), TAXONOMY)
    assert int(pairs["photos"].sum()) == int((found.predicted != found.labels).sum())
    assert pairs["photos"].is_monotonic_decreasing


def test_orders_hold_every_class_once() -> None:
    for order in (by_family, by_label, by_name):
        assert sorted(order(TAXONOMY)) == list(range(1, 103))
    families = [TAXONOMY[label].family for label in by_family(TAXONOMY)]
    assert families == sorted(families)


def test_most_confused_counts_both_ways_and_keeps_the_order() -> None:
    matrix = np.diag([9, 9, 9, 9])
    matrix[0, 2] = 5  # 1 is called 3
    matrix[3, 2] = 1
    assert most_confused(matrix, [4, 3, 2, 1], 2) == [3, 1]


def test_cells_are_the_counts_above_nought() -> None:
    matrix = np.zeros((102, 102), int)
    matrix[0, 0], matrix[0, 3], matrix[5, 1] = 7, 2, 1
    table = cells(matrix, by_label(TAXONOMY), TAXONOMY)
    assert table[["true", "called", "photos", "of", "right"]].values.tolist() == [
        [1, 1, 7, 9, True],
        [1, 4, 2, 9, False],
        [6, 2, 1, 1, False],
    ]
    assert cells(matrix, [1, 4], TAXONOMY)["called"].tolist() == [1, 4]
    chart = matrix_chart(table, by_label(TAXONOMY), TAXONOMY, 400).to_dict()
    assert chart["usermeta"]["embedOptions"]["renderer"] == "canvas"
    assert len(chart["layer"][0]["encoding"]["x"]["scale"]["domain"]) == 102
