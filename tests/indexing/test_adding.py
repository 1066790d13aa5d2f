"""Shards go into a store once each, whatever happened to the store or the run since."""

from pathlib import Path

import pytest

from flowers_core.indexing import adding
from flowers_core.indexing.adding import add_shards, index_is_due
from flowers_core.indexing.shards import LeftOutPhoto, Shard, write_shard
from flowers_core.indexing.sources import Source
from flowers_core.retrieval.stores.indexed_store import IndexedStore
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.space import EmbeddingSpace
from tests.fixtures.store_entries import store_entries


def write(folder: Path, name: str, keys: list[str], left_out=()) -> None:
    vectors = [[1.0, 0.0]] * len(keys) if keys else [[0.0, 1.0]][:0]
    write_shard(folder, Shard((Source(name),)), store_entries(vectors, [key * 64 for key in keys]), left_out)


def test_each_shard_is_added_once(tmp_path: Path) -> None:
    store = LanceStore.create(str(tmp_path / "store"), EmbeddingSpace("model", 2))
    shards = tmp_path / "shards"
    write(shards, "one", ["a", "b"], [LeftOutPhoto("x", "It is broken.")])
    write(shards, "two", ["b", "c"])
    add_shards(shards, store)
    assert store.count() == 3
    store.remove(["c" * 64])
    write(shards, "three", ["d"])
    add_shards(shards, store)
    assert store.count() == 3  # what was removed does not come back
    (shards / "added.jsonl").unlink()  # as if the run had been killed before it wrote that down
    add_shards(shards, store)
    assert store.count() == 4
    add_shards(shards, store)
    assert store.count() == 4


def test_an_index_is_due_when_a_store_is_large_or_has_left_it_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "_LARGE", 3)
    monkeypatch.setattr(adding, "_BEHIND", 2)
    store = LanceStore.create(str(tmp_path / "store"), EmbeddingSpace("model", 2))
    store.add(store_entries([[1.0, 0.0]] * 2, ["a" * 64, "b" * 64]))
    assert not index_is_due(store)
    store.add(store_entries([[0.0, 1.0]], ["c" * 64]))
    assert index_is_due(store)
    indexed = IndexedStore.make(store, tmp_path / "index")
    assert not index_is_due(indexed)
    indexed.add(store_entries([[0.0, 1.0]], ["d" * 64]))
    assert not index_is_due(indexed)
    indexed.add(store_entries([[0.0, 1.0]], ["e" * 64]))
    assert index_is_due(indexed)
