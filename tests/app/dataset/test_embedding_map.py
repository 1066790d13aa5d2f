from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.dataset.embedding_map import (
    GREY,
    chosen_ids,
    colours_of,
    map_figure,
    map_table,
    picked_photos,
    picked_sentence,
)
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.evaluation.predictions import load_predictions
from flowers_core.inference.bundle import load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.projection import PROJECTION_FILE, Projection
from tests.app.conftest import run
from tests.fixtures.manifests import linked_copy
from tests.fixtures.shipped import TESTED

Open = Callable[..., AppTest]
SHIPPED = TESTED


@pytest.fixture(scope="module")
def projection() -> Projection:
    with np.load(SHIPPED.path(RECORDS_FILE), allow_pickle=False) as records:
        ids = records["ids"]
    points = np.random.default_rng(0).uniform(-1, 1, (len(ids), 2)).astype(np.float32)
    return Projection(ids, points, 0.9)


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, projection: Projection) -> Path:
    folder = linked_copy(SHIPPED, tmp_path / "models" / SHIPPED.name, without=(PROJECTION_FILE,))
    BundleWriter.open(folder).add_npz(PROJECTION_FILE, compressed=True, **projection.arrays())
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(folder.parent))
    return folder


@pytest.mark.slow
def test_the_map_has_an_address_and_colours(open_page: Open, mapped: Path) -> None:
    app = open_page("dataset", show="Map")
    assert any("Draw a loop" in text.value for text in app.markdown)
    app.segmented_control(key="colour").set_value("right")
    run(app)
    app.segmented_control(key="colour").set_value("class")
    run(app)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.slow
def test_without_a_map_the_page_says_how_to_get_one(open_page: Open, mapped: Path) -> None:
    BundleWriter.open(mapped).add_bytes(PROJECTION_FILE, b"none")
    app = open_page("dataset", show="Map")
    assert any("flowers project_embeddings" in info.value for info in app.info)


@pytest.mark.slow
def test_the_table_says_of_each_photo_how_the_model_did(mapped: Path, projection: Projection) -> None:
    bundle = load_bundle(mapped)
    gallery = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    table = map_table(bundle, gallery.ids, gallery.labels, gallery.splits, load_taxonomy())
    assert len(table) == len(gallery)
    answers = load_predictions(bundle.path("test_predictions.npz"), "int8")
    assert (table["right"] == "wrong").sum() == (answers.predicted != answers.labels).sum()
    assert (table["right"] == "right").sum() == (answers.predicted == answers.labels).sum()
    assert set(table.loc[table["right"] == "not tested", "split"]) == {"training", "validation"}
    assert table["family"].nunique() == 10
    row = table[table["photo"] == 17].iloc[0]
    place = projection.points[projection.ids.tolist().index(17)]
    assert (row["x"], row["y"]) == pytest.approx(tuple(place), abs=5.1e-4)
    for colouring, kinds in (("class", 102), ("family", 10), ("right", 3), ("split", 3)):
        figure = map_figure(table, colouring)
        assert len(figure.data) == kinds
        assert sorted(np.concatenate([trace.customdata for trace in figure.data])) == sorted(table["photo"])
        for trace in figure.data:
            of_trace = table.set_index("photo").loc[list(trace.customdata)]
            assert (of_trace[colouring] == trace.name).all()
            np.testing.assert_array_equal(trace.x, of_trace["x"].to_numpy(np.float32))
            np.testing.assert_array_equal(trace.y, of_trace["y"].to_numpy(np.float32))
            assert trace.showlegend is (colouring != "class")


def test_what_steps_back_is_grey_and_last() -> None:
    colours = colours_of(pd.Series(["not tested"] * 3 + ["right"] * 2 + ["wrong"]))
    assert list(colours) == ["right", "wrong", "not tested"]
    assert colours["not tested"] == GREY
    assert len(set(colours.values())) == 3
    assert list(colours_of(pd.Series(["b", "a", "a"]))) == ["a", "b"]


def test_the_chosen_photos_come_from_the_middle_outwards() -> None:
    table = pd.DataFrame(
        {"photo": [1, 2, 3, 4], "x": [0.0, 0.5, 0.9, 0.4], "y": [0.0, 0.5, 0.9, 0.6], "class": ["a", "b", "c", "b"]}
    )
    # Plotly reports a number of one column as it is or as a list of one.
    points = [{"customdata": [4], "x": 0.4}, {"customdata": 2}, {"customdata": 1}, {"x": 0.9}]
    picked = picked_photos(table, chosen_ids({"selection": {"points": points}}))
    assert picked["photo"].tolist() == [2, 4, 1]  # their middle is (0.3, 0.37)
    assert picked_sentence(picked.head(2)) == "**2** photos lie within: 2 b. Those in the middle come first."
    assert picked_sentence(picked.head(1)) == "**1** photos lie within: 1 b."
    assert picked_photos(table, []).empty
