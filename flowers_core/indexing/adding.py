"""Shards that are done are added to a store, each once."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from flowers_core.data.progress import Track, untracked
from flowers_core.indexing.shards import read_shard, shard_files
from flowers_core.retrieval.stores.store import VectorStore
from flowers_core.storage.json_lines import JsonLines, read_json_lines

_ADDED_FILE = "added.jsonl"
# A store is quickest with many entries in a call; so many shards are held in memory.
_TOGETHER = 32


def add_shards(folder: Path, store: VectorStore, track: Track = untracked) -> None:
    """Add the shards that were not added before.

    What was added is written down beside the shards, so what a person removed from the store does not come back. After
    a break some shards are added twice, which changes nothing.

    Args:
        folder: of the shards.
        store: that takes them.
        track: shows progress over them.

    Raises:
        ShardError: a shard's file is damaged.
    """
    record = folder / _ADDED_FILE
    before = set(read_json_lines(record))
    new = [path for path in shard_files(folder) if path.name not in before]
    groups = [new[start : start + _TOGETHER] for start in range(0, len(new), _TOGETHER)]
    with JsonLines(record) as added:
        for group in track(groups, "adding", len(groups)):
            # Broken photos may be all that a shard has, and its file says so in its own words.
            store.add(pa.concat_tables([read_shard(path).replace_schema_metadata(None) for path in group]))
            for path in group:
                added.add(path.name)
