"""What every store promises, asked of each of them. The engines are the real ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from flowers_core.retrieval.stores.entries import VECTOR, Where, entry_schema, vectors_of
from flowers_core.retrieval.stores.faiss_store import FaissStore
from flowers_core.retrieval.stores.indexed_store import IndexedStore
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.qdrant_store import QdrantStore
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import VectorStore
from tests.fixtures.store_entries import store_entries

SPACE = EmbeddingSpace("model", 8, np.eye(8, 4, dtype=np.float32))
#: Four points on a quarter circle, every 30°: the cosines of neighbours are 0.866, 0.5 and 0.
ANGLES = np.deg2rad([0, 30, 60, 90])
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES), 0 * ANGLES, 0 * ANGLES], axis=1).astype(np.float32)
KEYS = ["a", "b", "c", "d"]


def indexed(folder: Path) -> IndexedStore:
    """A store whose index was made when it held two entries that are gone by now, and nothing of what it will hold."""
    store = LanceStore.create(str(folder / "gallery"), SPACE)
    store.add(store_entries(CIRCLE[:2], ["a", "z"]))
    made = IndexedStore.make(store, folder / "index")
    store.remove(["a", "z"])
    return made


STORES: dict[str, Callable[[Path], VectorStore]] = {
    "FAISS": lambda folder: FaissStore.create(folder / "gallery", SPACE),
    "LanceDB": lambda folder: LanceStore.create(str(folder / "gallery"), SPACE),
    "LanceDB, index": indexed,
    # No server could be had for the tests. The client's local mode takes the same calls.
    "Qdrant": lambda _: QdrantStore.create(QdrantClient(":memory:"), "gallery", SPACE),
}


@pytest.fixture(params=STORES)
def empty(request, tmp_path) -> VectorStore:
    return STORES[request.param](tmp_path)


@pytest.fixture
def store(empty) -> VectorStore:
    empty.add(store_entries(CIRCLE, KEYS, label=[1, 1, 2, 3], confidence=[0.9, 0.5, 0.5, 0.1]))
    return empty


def found(store: VectorStore, vector: list[float] | np.ndarray, k: int, where: Where | None = None) -> list[str]:
    return [hit.key for hit in store.search(np.array([vector], np.float32), k, where)[0]]


def test_an_empty_store_finds_nothing(empty):
    assert empty.count() == 0
    assert empty.search(CIRCLE[:2], 3) == [[], []]
    assert empty.get(KEYS).num_rows == 0
    empty.remove(KEYS)


def test_search_finds_the_nearest_first_with_their_cosines(store):
    hits = store.search(CIRCLE[[0, 3]], 3)
    assert [[hit.key for hit in of] for of in hits] == [["a", "b", "c"], ["d", "c", "b"]]
    assert [hit.similarity for hit in hits[0]] == pytest.approx([1, np.sqrt(3) / 2, 0.5], abs=0.01)
    assert store.search(CIRCLE[:0], 3) == []


def test_fewer_than_asked_for_are_found_where_there_are_fewer(store):
    assert found(store, CIRCLE[0], 9) == KEYS


def test_where_is_heeded(store):
    assert found(store, CIRCLE[0], 2, Where(labels=frozenset({2, 3}))) == ["c", "d"]
    assert found(store, CIRCLE[0], 4, Where(confidence=0.5)) == ["a", "b", "c"]
    assert found(store, CIRCLE[0], 4, Where(confidence=0.9)) == ["a"]
    assert found(store, CIRCLE[0], 4, Where(exclude=frozenset({"a", "unknown"}))) == ["b", "c", "d"]
    assert found(store, CIRCLE[0], 4, Where(frozenset({1}), 0.6)) == ["a"]
    assert found(store, CIRCLE[0], 4, Where(labels=frozenset())) == []


def test_get_returns_what_was_added_in_the_order_of_the_keys(store):
    got = store.get(["d", "unknown", "a"])
    assert got.schema.equals(entry_schema(4))
    whole = store_entries(CIRCLE, KEYS, label=[1, 1, 2, 3], confidence=[0.9, 0.5, 0.5, 0.1]).take([3, 0])
    assert got.drop_columns(VECTOR).to_pylist() == whole.drop_columns(VECTOR).to_pylist()
    assert np.allclose(vectors_of(got), CIRCLE[[3, 0]], atol=0.01)


def test_hashes_keep_all_64_bits(empty):
    empty.add(store_entries(CIRCLE[:2], ["a", "b"], hash=[2**64 - 1, 2**63 + 1]))
    assert empty.get(["a", "b"]).column("hash").to_pylist() == [2**64 - 1, 2**63 + 1]


def test_what_is_added_again_takes_the_place_of_the_first(store):
    again = store_entries(CIRCLE[[3, 3, 0]], ["a", "e", "a"], path=["x", "y", "new"])
    store.add(again)
    store.add(again)
    assert store.count() == 5
    assert store.get(["a"]).column("path").to_pylist() == ["new"]
    assert found(store, CIRCLE[0], 1) == ["a"]
    assert set(found(store, CIRCLE[3], 2)) == {"d", "e"}


def test_what_was_removed_is_gone(store):
    store.remove(["a", "unknown"])
    store.remove(["a"])
    assert store.count() == 3
    assert found(store, CIRCLE[0], 4) == ["b", "c", "d"]
    assert store.get(["a", "b"]).column("key").to_pylist() == ["b"]
    store.add(store_entries(CIRCLE[:1], ["a"]))
    assert found(store, CIRCLE[0], 1) == ["a"]


def test_batches_hold_every_entry_once(store):
    batches = list(store.batches(["key", VECTOR], rows=3))
    assert all(batch.num_rows <= 3 for batch in batches)
    rows = {
        key: vector
        for batch in batches
        for key, vector in zip(batch.column("key").to_pylist(), vectors_of(batch), strict=True)
    }
    assert np.allclose([rows[key] for key in KEYS], CIRCLE, atol=0.01)
    assert sum(batch.num_rows for batch in batches) == 4


def test_keys_with_quotes_are_keys(empty):
    empty.add(store_entries(CIRCLE[:2], ["it's", 'a"b']))
    assert empty.get(["it's"]).num_rows == 1
    assert found(empty, CIRCLE[0], 2, Where(exclude=frozenset({"it's"}))) == ['a"b']
    empty.remove(["it's"])
    assert empty.count() == 1


def test_a_thousand_are_found_as_numpy_finds_them(empty):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((1000, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    empty.add(store_entries(vectors, [str(at) for at in range(1000)]))
    queries = vectors[:20]
    nearest = np.argsort(-queries @ vectors.T, axis=1)[:, :10]
    hits = empty.search(queries, 10)
    same = [len({int(hit.key) for hit in of} & set(row)) / 10 for of, row in zip(hits, nearest.tolist(), strict=True)]
    assert np.mean(same) >= 0.95
    assert empty.count() == 1000
