"""A store in LanceDB: a folder, or a bucket. It is the main store of large galleries.

Several processes and machines may share one. Each sees at once what another has committed, and of a process that is
killed in the middle of `add` nothing is there.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flowers_core.retrieval.stores.entries import VECTOR, Hit, Where, entry_schema, last_of_each_key
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError, require

_ENTRIES, _SPACE = "entries", "space"
_SPACE_COLUMN = "content"
# Without it, two processes that add the same new key at a time would both insert it.
_PRIMARY_KEY = {"lance-schema:unenforced-primary-key": "true"}
# Keys in one condition: longer ones are slow to parse.
_KEYS = 1000
# The index' lists that a query looks through, and how many of the hits by rounded values are compared exactly.
_PROBES, _REFINE = 32, 4


class LanceStore:
    """Entries in LanceDB.

    Attributes:
        place: the folder or URI.
        space: what its vectors are coordinates in.
    """

    def __init__(self, place: str, space: EmbeddingSpace, table: Any) -> None:
        """Use `create` or `open`.

        Args:
            place, space: as the attributes.
            table: LanceDB's.
        """
        self.place, self.space, self._table = place, space, table

    @classmethod
    def create(cls, place: str, space: EmbeddingSpace) -> LanceStore:
        """Make an empty store, or open the one that is there.

        Args:
            place: a folder, or a URI such as `s3://bucket/name`.
            space: what vectors will be coordinates in.

        Raises:
            StoreError: there is a store of another space, or LanceDB is not installed.
        """
        database = _connect(place)
        schema = entry_schema(space.dimension)
        schema = schema.set(0, schema.field(0).with_metadata(_PRIMARY_KEY))
        content = pa.table({_SPACE_COLUMN: pa.array([space.to_bytes()], pa.binary())})
        try:
            # The space comes last, so that a store that says what it is is whole.
            database.create_table(_ENTRIES, schema=schema, exist_ok=True)
            database.create_table(_SPACE, content, exist_ok=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise StoreError(f"No gallery can be made in {place}: {error}") from error
        store = cls.open(place)
        if not store.space.same_as(space):
            raise StoreError(f"The gallery in {place} was made with another model. Choose another name.")
        return store

    @classmethod
    def open(cls, place: str) -> LanceStore:
        """The store in a place.

        Args:
            place: a folder or a URI.

        Raises:
            StoreError: there is none, or LanceDB is not installed.
            SpaceError: it is damaged.
        """
        database = _connect(place)
        try:
            content = database.open_table(_SPACE).to_arrow().column(_SPACE_COLUMN)[0].as_py()
            table = database.open_table(_ENTRIES)
        except (OSError, ValueError, RuntimeError, IndexError) as error:
            raise StoreError(f"There is no gallery in {place}. `flowers index` makes one.") from error
        return cls(place, EmbeddingSpace.from_bytes(content), table)

    @property
    def version(self) -> int:
        """A number that grows with each change, whoever makes it."""
        return int(self._table.version)

    def add(self, entries: pa.Table) -> None:
        """See `VectorStore.add`."""
        merge = self._table.merge_insert("key").when_matched_update_all().when_not_matched_insert_all()
        # By the index of the keys it would not notice that another process inserts the same new key.
        merge.use_index(False).execute(last_of_each_key(entries))

    def remove(self, keys: Collection[str]) -> None:
        """See `VectorStore.remove`."""
        for condition in _conditions(list(keys)):
            self._table.delete(condition)

    def search(self, vectors: NDArray[np.float32], k: int, where: Where | None = None) -> list[list[Hit]]:
        """See `VectorStore.search`. Exact until `make_index` was called, and for entries that came after it.

        Args:
            vectors, k, where: as there.
        """
        if not len(vectors):
            return []
        # Several queries must come as a list: of an array LanceDB would make one query.
        query = self._table.search(list(vectors) if len(vectors) > 1 else vectors[0], vector_column_name=VECTOR)
        query = query.distance_type("dot").limit(k).nprobes(_PROBES).refine_factor(_REFINE)
        if where is not None and (condition := _condition_of(where)):
            query = query.where(condition, prefilter=True)
        found = query.select(["key", "_distance"]).to_arrow()
        of = found.column("query_index").to_numpy() if len(vectors) > 1 else np.zeros(len(found), np.int64)
        similarities = 1 - found.column("_distance").to_numpy()
        hits: list[list[Hit]] = [[] for _ in vectors]
        for query_number, key, similarity in zip(
            of.tolist(), found.column("key").to_pylist(), similarities.tolist(), strict=True
        ):
            hits[query_number].append(Hit(key, min(1.0, similarity)))
        return [sorted(of_query, key=lambda hit: -hit.similarity) for of_query in hits]

    def get(self, keys: Sequence[str]) -> pa.Table:
        """See `VectorStore.get`."""
        names = entry_schema(self.space.dimension).names
        parts = [
            self._table.search().where(condition).select(names).limit(_KEYS).to_arrow()
            for condition in _conditions(list(keys))
        ]
        found = pa.concat_tables(parts) if parts else entry_schema(self.space.dimension).empty_table()
        row_of = {key: row for row, key in enumerate(found.column("key").to_pylist())}
        return found.take(pa.array([row_of[key] for key in keys if key in row_of], pa.int64()))

    def known(self, keys: Collection[str]) -> set[str]:
        """Those of these keys that are there.

        Args:
            keys: of entries.
        """
        found: set[str] = set()
        for condition in _conditions(sorted(keys)):
            found.update(
                self._table.search().where(condition).select(["key"]).limit(_KEYS).to_arrow()["key"].to_pylist()
            )
        return found

    def count(self) -> int:
        """See `VectorStore.count`."""
        return int(self._table.count_rows())

    def batches(self, columns: Sequence[str], rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """See `VectorStore.batches`.

        Args:
            columns, rows: as there.
        """
        yield from self._table.search().select(list(columns)).to_batches(rows)

    def changed_since(self, version: int) -> tuple[pa.Table, int]:
        """The entries that were added or replaced after a version, and how many of them are new.

        Args:
            version: a former value of `version`.
        """
        names = entry_schema(self.space.dimension).names
        changed = self._table.search().where(f"_row_last_updated_at_version > {version}").select(names).to_arrow()
        return changed, int(self._table.count_rows(f"_row_created_at_version > {version}"))

    def make_index(self) -> None:
        """Let LanceDB index keys and vectors: worth it from 10⁵ entries on. Entries that come later are found, too."""
        from lancedb.index import BTree, IvfSq

        self._table.optimize()
        self._table.create_index("key", config=BTree())
        groups = max(1, math.isqrt(self.count()))
        self._table.create_index(VECTOR, config=IvfSq(distance_type="dot", num_partitions=groups))

    def tidy(self) -> None:
        """Put the pieces that many calls of `add` left into few, and into the index where there is one."""
        self._table.optimize()


def _connect(place: str) -> Any:
    lancedb = require("lancedb")
    # Each reading looks whether somebody has committed since: several servers may share a store.
    return lancedb.connect(
        place,
        read_consistency_interval=timedelta(0),
        # Rows keep their numbers and remember their versions, so that an index can ask what came since.
        storage_options={"new_table_enable_stable_row_ids": "true"},
    )


def _conditions(keys: list[str]) -> Iterator[str]:
    for start in range(0, len(keys), _KEYS):
        yield _among(keys[start : start + _KEYS])


def _condition_of(where: Where) -> str:
    parts = []
    if where.labels is not None:
        labels = ", ".join(str(int(label)) for label in sorted(where.labels))
        parts.append(f"label IN ({labels})" if labels else "false")
    if where.confidence > 0:
        parts.append(f"confidence >= {float(np.float32(where.confidence))!r}")
    if where.exclude:
        parts.append(f"NOT {_among(sorted(where.exclude))}")
    return " AND ".join(parts)


def _among(keys: Collection[str]) -> str:
    quoted = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
    return f"(key IN ({quoted}))"
