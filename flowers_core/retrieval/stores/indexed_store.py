"""A store in LanceDB with a quick index before it; what changed since that was made is looked through beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flowers_core.retrieval.stores.entries import Hit, Where, allowed_by, vectors_of
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.quick_index import QuickIndex

# So many more are asked of the index where some of its entries may be gone.
_SPARE = 64


@dataclass(frozen=True, eq=False)
class _Since:
    """What changed after the index was made, up to a version of the store."""

    version: int
    keys: tuple[str, ...] = ()
    vectors: NDArray[np.float32] | None = None
    labels: NDArray[np.int16] | None = None
    confidences: NDArray[np.float32] | None = None
    some_gone: bool = False


class IndexedStore:
    """A store with an index over most of it. Any number of threads may search it.

    Attributes:
        store: the entries.
        space: what their vectors are coordinates in.
        index: as it was made.
    """

    def __init__(self, store: LanceStore, index: QuickIndex) -> None:
        """Join the two.

        Args:
            store: the entries.
            index: made from it, now or before.
        """
        self.store, self.space, self.index = store, store.space, index
        self._lock, self._since = Lock(), _Since(index.version)

    @classmethod
    def make(cls, store: LanceStore, folder: Path) -> IndexedStore:
        """Make the index and join the two.

        Args:
            store: at least one entry.
            folder: where the index is kept.
        """
        return cls(store, QuickIndex.make(store, folder))

    @property
    def behind(self) -> int:
        """How many entries came or changed since the index was made. From some ten thousand on, make it anew."""
        return len(self._changes().keys)

    def add(self, entries: pa.Table) -> None:
        """See `VectorStore.add`."""
        self.store.add(entries)

    def remove(self, keys: Collection[str]) -> None:
        """See `VectorStore.remove`."""
        self.store.remove(keys)

    def search(self, vectors: NDArray[np.float32], k: int, where: Where | None = None) -> list[list[Hit]]:
        """See `VectorStore.search`.

        Args:
            vectors, k, where: as there.
        """
        since = self._changes()
        wanted = k + len(since.keys[:_SPARE]) + _SPARE * since.some_gone
        found = self.index.search(vectors, wanted, where)
        if since.keys:
            newer = frozenset(since.keys)
            fresh = _search_since(since, vectors, k, where)
            found = [
                sorted([*recent, *(hit for hit in old if hit.key not in newer)], key=lambda hit: -hit.similarity)
                for recent, old in zip(fresh, found, strict=True)
            ]
        if since.some_gone:
            there = self.store.known({hit.key for hits in found for hit in hits})
            found = [[hit for hit in hits if hit.key in there] for hits in found]
            if any(len(hits) < min(k, self.count()) for hits in found):
                return self.store.search(vectors, k, where)
        return [hits[:k] for hits in found]

    def get(self, keys: Sequence[str]) -> pa.Table:
        """See `VectorStore.get`."""
        return self.store.get(keys)

    def count(self) -> int:
        """See `VectorStore.count`."""
        return self.store.count()

    def batches(self, columns: Sequence[str], rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """See `VectorStore.batches`.

        Args:
            columns, rows: as there.
        """
        return self.store.batches(columns, rows)

    def _changes(self) -> _Since:
        version = self.store.version
        with self._lock:
            if version != self._since.version:
                changed, new = self.store.changed_since(self.index.version)
                self._since = _Since(
                    version,
                    tuple(changed.column("key").to_pylist()),
                    vectors_of(changed),
                    changed.column("label").to_numpy(),
                    changed.column("confidence").to_numpy(),
                    some_gone=self.store.count() < len(self.index) + new,
                )
            return self._since


def _search_since(since: _Since, vectors: NDArray[np.float32], k: int, where: Where | None) -> list[list[Hit]]:
    """The nearest of what changed; it is little, so all of it is compared."""
    assert since.vectors is not None
    assert since.labels is not None
    assert since.confidences is not None
    allowed = allowed_by(where, since.labels, since.confidences)
    if where is not None:
        allowed &= np.array([key not in where.exclude for key in since.keys], bool)
    rows = np.flatnonzero(allowed)
    cosines = np.asarray(vectors) @ since.vectors[rows].T
    return [
        [Hit(since.keys[rows[at]], min(1.0, float(of_query[at]))) for at in np.argsort(-of_query, kind="stable")[:k]]
        for of_query in cosines
    ]
