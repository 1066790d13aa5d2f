"""Shards go into a store once each, whatever happened to the store or the run since."""

from pathlib import Path

from flowers_core.indexing.adding import add_shards
from flowers_core.indexing.shards import LeftOutPhoto, Shard, write_shard
from flowers_core.indexing.sources import Source
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
