import numpy as np
import pytest

from flowers_core.retrieval.stores.indexed_store import IndexedStore
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.open_store import create_store, index_folder, open_store, place_of, quick_index
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError
from tests.fixtures.store_entries import store_entries

SPACE = EmbeddingSpace("model", 4, np.eye(4, 2, dtype=np.float32))


@pytest.fixture(autouse=True)
def galleries(monkeypatch, tmp_path):
    monkeypatch.setenv("FLOWERS_GALLERIES_DIR", str(tmp_path / "galleries"))
    monkeypatch.setenv("FLOWERS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "galleries"


def test_a_name_lies_in_the_folder_of_galleries_and_a_path_where_it_says(galleries, tmp_path):
    assert place_of("meadow") == str(galleries / "meadow")
    assert place_of("./meadow") == "./meadow"
    assert place_of("s3://bucket/meadow") == "s3://bucket/meadow"
    assert index_folder("/here/meadow").as_posix() == "/here/meadow/quick-index"
    assert index_folder("s3://bucket/meadow").is_relative_to(tmp_path / "cache")


def circle(count: int) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_a_small_gallery_needs_no_index():
    create_store("meadow", SPACE).add(store_entries(circle(2), ["a", "b"]))
    assert quick_index("meadow") is None
    assert isinstance(open_store("meadow"), LanceStore)


def test_a_large_one_is_indexed_and_again_where_much_came_since():
    store = create_store("meadow", SPACE)
    store.add(store_entries(circle(20), [str(at) for at in range(20)]))
    first = quick_index("meadow", least=20)
    opened = open_store("meadow")
    assert isinstance(opened, IndexedStore)
    assert [hit.key for hit in opened.search(np.array([[0, 1]], np.float32), 1)[0]] == ["5"]
    store.add(store_entries(circle(2), ["a", "b"]))
    assert (len(first), opened.behind) == (20, 2)
    assert len(quick_index("meadow", least=20)) == 20
    store.add(store_entries(circle(2), ["c", "d"]))
    assert len(quick_index("meadow", least=20)) == 24
    again = open_store("meadow")
    assert isinstance(again, IndexedStore)
    assert again.behind == 0


def test_creating_it_again_keeps_what_it_holds():
    create_store("meadow", SPACE).add(store_entries(np.eye(2, dtype=np.float32), ["a", "b"]))
    assert create_store("meadow", SPACE).count() == 2


def test_vectors_of_another_model_are_refused():
    create_store("meadow", SPACE)
    with pytest.raises(StoreError, match="another model"):
        create_store("meadow", EmbeddingSpace("other", 4, SPACE.axes))


def test_a_gallery_that_is_not_there_is_told():
    with pytest.raises(StoreError, match="There is no gallery"):
        open_store("meadow")


def test_a_server_that_does_not_answer_is_told():
    with pytest.raises(StoreError, match="does not answer"):
        open_store("qdrant+http://localhost:9/meadow")
