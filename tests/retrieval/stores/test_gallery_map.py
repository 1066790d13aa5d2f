import numpy as np
import pytest

from flowers_core.inference.bundle import load_bundle
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.projection import PROJECTION_FILE, Projection, load_projection
from flowers_core.retrieval.stores.gallery_map import dots, keep_map, load_map, place_on_map
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.quick_index import QuickIndex
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.store_entries import store_entries

#: Nine photos at nine places, three of them at the left end of the line.
POINTS = np.array([[-1, 0], [-0.99, 0], [-0.98, 0], [0, 0], [0, 1], [0, -1], [1, 0], [1, 1], [0.5, 0.5]], np.float32)


def test_a_photo_lies_where_the_known_photo_like_it_lies(tmp_path):
    axes = np.eye(4, dtype=np.float32)
    known = Gallery.build(axes, [7, 8, 9, 10], [1, 2, 3, 4], ["train"] * 4)
    # The ids of the map are in another order.
    projection = Projection(np.array([10, 9, 8, 7]), np.array([[0, 1], [0, -1], [1, 0], [-1, 0]], np.float32), 1.0)
    store = LanceStore.create(str(tmp_path / "gallery"), EmbeddingSpace("model", 4))
    between = np.array([[0.6, 0.8, 0, 0]], np.float32)
    store.add(store_entries(np.concatenate([axes[[3, 0]], between]), ["a", "b", "c"]))
    index = QuickIndex.make(store, tmp_path / "index")
    points = place_on_map(index, store.space, known, projection)
    of = dict(zip(index.keys.tolist(), points.tolist(), strict=True))
    assert of[b"a"] == pytest.approx([0, 1], abs=0.01)
    assert of[b"b"] == pytest.approx([-1, 0], abs=0.01)
    # Of two, the one that it is more like counts e⁴ = 55 times as much.
    assert of[b"c"] == pytest.approx([54.6 / 55.6 - 1 / 55.6, 0], abs=0.02)


def test_few_photos_are_a_dot_each():
    shown = dots(POINTS, (-0.5, -0.5, 0.5, 0.5))
    assert shown.rows.tolist() == [3, 8]
    assert shown.counts.tolist() == [1, 1]
    assert list(zip(shown.x.tolist(), shown.y.tolist(), strict=True)) == [(0, 0), (0.5, 0.5)]


def test_many_are_counted_in_squares():
    shown = dots(POINTS, (-1, -1, 1, 1), most=5, squares=4)
    assert shown.counts.sum() == len(shown.rows) == 9
    left = shown.dot[0]
    assert shown.rows[shown.dot == left].tolist() == [0, 1, 2]
    assert (shown.counts[left], shown.x[left]) == (3, pytest.approx(-0.99))


def test_an_empty_box_has_no_dots():
    assert len(dots(POINTS, (2, 2, 3, 3)).counts) == 0


def test_a_map_is_kept_beside_the_index_that_it_places(tmp_path):
    bundle = load_bundle(default_models_dir() / "efficientnet_lite0_small")
    known = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    space = EmbeddingSpace.of(known, "model")
    store = LanceStore.create(str(tmp_path / "gallery"), space)
    ids = known.ids[:50].tolist()
    store.add(store_entries(space.project(known.vectors_of(ids)), [str(photo_id) for photo_id in ids]))
    index = QuickIndex.make(store, tmp_path / "index")
    keep_map(bundle, index, space, tmp_path / "index")
    points = load_map(tmp_path / "index", 50)
    projection = load_projection(bundle.path(PROJECTION_FILE))
    place_of = dict(zip(projection.ids.tolist(), projection.points, strict=True))
    apart = [np.linalg.norm(point - place_of[int(key)]) for key, point in zip(index.keys, points, strict=True)]
    # A known photo lies near its own place: the map is two wide.
    assert np.median(apart) < 0.05
    assert load_map(tmp_path / "index", 51) is None
    assert load_map(tmp_path, 50) is None
