"""The map of a large gallery on *Dataset*."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.dataset.gallery_map import around, photos_in, picked_sentence
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import DEFAULT_BUNDLE, load_bundle
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.stores.gallery_map import dots, keep_map
from flowers_core.retrieval.stores.open_store import create_store, index_folder, quick_index
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.store_entries import store_entries

Open = Callable[..., AppTest]
SHIPPED = load_bundle(default_models_dir() / DEFAULT_BUNDLE)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> str:
    place = str(tmp_path_factory.mktemp("galleries") / "mine")
    known = Gallery.load(SHIPPED.path(INDEX_FILE), SHIPPED.path(RECORDS_FILE))
    space = EmbeddingSpace.of(known, SHIPPED.digest("int8.tflite"))
    store = create_store(place, space)
    ids = known.ids[:100].tolist()
    store.add(store_entries(space.project(known.vectors_of(ids)), [str(photo_id) for photo_id in ids]))
    keep_map(SHIPPED, quick_index(place, least=1), space, index_folder(place))
    return place


def test_the_map_of_a_large_gallery_is_offered(open_page: Open, place, monkeypatch) -> None:
    monkeypatch.setenv("FLOWERS_GALLERY", place)
    app = open_page("dataset", show="Map", bundle=SHIPPED.name, whose="Your gallery")
    assert not app.exception
    assert any("**100** photos of your gallery" in text.value for text in app.markdown)
    assert any("Each is a dot" in text.value for text in app.markdown)


def test_without_one_the_map_is_the_data_sets(open_page: Open, monkeypatch) -> None:
    monkeypatch.delenv("FLOWERS_GALLERY", raising=False)
    app = open_page("dataset", show="Map", bundle=SHIPPED.name)
    assert "whose" not in {control.key for control in app.segmented_control}
    assert any("Draw a loop around some" in text.value for text in app.markdown)


def test_a_loop_takes_all_photos_that_its_dots_stand_for() -> None:
    points = np.array([[0, 0], [0.01, 0], [0.9, 0.9], [-0.9, 0.9]], np.float32)
    shown = dots(points, (-1, -1, 1, 1), most=2, squares=3)
    middle = int(shown.dot[0])
    state = {"selection": {"points": [{"customdata": [middle]}, {"x": 1}]}}
    assert photos_in(shown, state).tolist() == [0, 1]
    assert photos_in(shown, {"selection": {"points": []}}).tolist() == []


def test_looking_closer_keeps_what_was_chosen_in_sight() -> None:
    assert around(np.array([[0, 0], [1, 0.5]])) == pytest.approx((-0.1, -0.05, 1.1, 0.55))
    left, bottom, right, top = around(np.array([[0.3, 0.3]]))
    assert left < 0.3 < right
    assert bottom < 0.3 < top


def test_the_sentence_counts_what_the_model_called_them() -> None:
    assert picked_sentence(np.array([74, 74, 54], np.int16), load_taxonomy()) == (
        "**3** photos lie within. The model called them 2 rose and 1 sunflower."
    )
    assert picked_sentence(np.arange(1, 6), load_taxonomy()).endswith(", and 1 other flower.")
    assert "and 2 other flowers. The first 240 are listed." in picked_sentence(
        np.repeat(np.arange(1, 7), 100), load_taxonomy()
    )
