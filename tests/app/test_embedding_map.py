import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.embedding_map import inside, map_chart, map_table, picked_sentence
from flowers_core.bundle import MANIFEST, BundleWriter, default_models_dir, load_bundle
from flowers_core.evaluation import load_predictions
from flowers_core.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.projection import PROJECTION_FILE, Projection
from flowers_core.taxonomy import load_taxonomy
from tests.app.conftest import run

Open = Callable[..., AppTest]
SHIPPED = load_bundle(default_models_dir() / "efficientnet_lite0")


@pytest.fixture(scope="module")
def projection() -> Projection:
    with np.load(SHIPPED.path(RECORDS_FILE), allow_pickle=False) as records:
        ids = records["ids"]
    points = np.random.default_rng(0).uniform(-1, 1, (len(ids), 2)).astype(np.float32)
    return Projection(ids, points, 0.9)


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, projection: Projection) -> Path:
    folder = tmp_path / "models" / SHIPPED.name
    folder.mkdir(parents=True)
    manifest = json.loads((SHIPPED.folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"].pop(PROJECTION_FILE, None)
    for name in manifest["files"]:
        (folder / name).symlink_to(SHIPPED.folder / name)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    BundleWriter.open(folder).add_file(PROJECTION_FILE, projection.write)
    monkeypatch.setenv("FLOWERS_MODELS_DIR", str(folder.parent))
    return folder


def test_the_map_has_an_address_and_colours(open_page: Open, mapped: Path) -> None:
    app = open_page("dataset", show="Map")
    assert any("Draw a rectangle" in text.value for text in app.markdown)
    app.segmented_control(key="colour").set_value("right")
    run(app)
    app.segmented_control(key="colour").set_value("split")
    run(app)


def test_without_a_map_the_page_says_how_to_get_one(open_page: Open, mapped: Path) -> None:
    BundleWriter.open(mapped).add_file(PROJECTION_FILE, lambda path: path.write_bytes(b"none"))
    app = open_page("dataset", show="Map")
    assert any("scripts.project" in info.value for info in app.info)


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
    for colouring in ("family", "right", "split"):
        chart = map_chart(table.head(500), colouring).to_dict()
        assert chart["params"][0]["select"]["type"] == "interval"
        scale = chart["encoding"]["color"]["scale"]
        assert len(scale.get("range", scale["domain"])) == len(scale["domain"])


def test_a_rectangle_picks_its_photos_from_the_middle_outwards() -> None:
    table = pd.DataFrame({"x": [0.0, 0.5, 0.9, 0.4], "y": [0.0, 0.5, 0.9, 0.6], "class": ["a", "b", "c", "b"]})
    picked = inside(table, {"x": [0.8, 0.1], "y": [0.1, 0.8]})
    assert picked.index.tolist() == [1, 3]
    assert picked_sentence(picked) == "**2** photos lie within: 2 b."
    assert inside(table, {}).empty
    assert inside(table, {"x": [2, 3], "y": [2, 3]}).empty
