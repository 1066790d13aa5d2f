import numpy as np
import pytest

from flowers_core.retrieval.stores.entries import Where
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError
from tests.fixtures.store_entries import store_entries

SPACE = EmbeddingSpace("model", 3)
AXES = np.eye(3, dtype=np.float32)


@pytest.fixture
def store(tmp_path) -> LanceStore:
    store = LanceStore.create(str(tmp_path / "gallery"), SPACE)
    store.add(store_entries(AXES, ["x", "y", "z"]))
    return store


def test_its_space_is_kept_with_it(store):
    assert LanceStore.open(store.place).space.same_as(SPACE)


def test_the_version_grows_with_each_change_and_names_what_came_since(store):
    before = store.version
    store.add(store_entries(AXES[[0, 1]], ["x", "w"]))
    assert store.version > before
    changed, new = store.changed_since(before)
    assert (set(changed.column("key").to_pylist()), new) == ({"x", "w"}, 1)
    assert store.changed_since(store.version)[0].num_rows == 0


def test_known_names_those_that_are_there(store):
    assert store.known({"x", "z", "other"}) == {"x", "z"}


def test_with_an_index_of_its_own_it_finds_what_it_found(tmp_path):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((2000, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store = LanceStore.create(str(tmp_path / "gallery"), EmbeddingSpace("model", 8))
    store.add(store_entries(vectors, [str(at) for at in range(2000)]))
    before = store.search(vectors[:20], 10)
    store.make_index()
    after = store.search(vectors[:20], 10)
    shared = [len({hit.key for hit in a} & {hit.key for hit in b}) for a, b in zip(before, after, strict=True)]
    assert np.mean(shared) >= 9.5
    assert [hit.key for hit in store.search(vectors[:1], 1, Where(exclude=frozenset({"0"})))[0]] == [before[0][1].key]


def test_a_place_without_a_store_is_told(tmp_path):
    with pytest.raises(StoreError, match="There is no gallery"):
        LanceStore.open(str(tmp_path / "nothing"))
