"""A store in one file of a folder, such as a bundle's, searched by FAISS: no other engine and no server.

All of it is in memory and every change writes the file anew, so it is for some ten thousand photos, or a hundred.
Several processes may share it: each looks at every question whether the file is another by now.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from flowers_core.retrieval.faiss_threads import one_faiss_thread
from flowers_core.retrieval.stores.entries import Hit, Where, allowed_by, entry_schema, last_of_each_key, vectors_of
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError
from flowers_core.storage.files import locked, write_atomically

#: The one file: entries, and the space among the facts about the table.
ENTRIES_FILE = "entries.parquet"
_SPACE = b"space"


@dataclass(frozen=True, eq=False)
class _Held:
    """The file as it was read. What says that it is the same file still is its `stamp`."""

    stamp: tuple[int, int, int]
    space: EmbeddingSpace
    entries: pa.Table
    row_of: dict[str, int]
    labels: NDArray[np.int16]
    confidences: NDArray[np.float32]
    index: Any


class FaissStore:
    """Entries in a file. Any number of threads and processes may use it.

    Attributes:
        folder: of the file.
        space: what its vectors are coordinates in.
    """

    def __init__(self, folder: Path) -> None:
        """Use `create` or `open`.

        Args:
            folder: of the file.
        """
        self.folder, self._lock = folder, Lock()
        self._kept = _read(folder)
        self.space = self._kept.space

    @classmethod
    def create(cls, folder: Path, space: EmbeddingSpace) -> FaissStore:
        """Make an empty store, or open the one that is there.

        Args:
            folder: takes the file.
            space: what vectors will be coordinates in.

        Raises:
            StoreError: there is a store of another space, or the file cannot be written or read.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / ENTRIES_FILE).exists():
                with locked(folder):
                    if not (folder / ENTRIES_FILE).exists():
                        _write(folder, space, entry_schema(space.dimension).empty_table())
        except OSError as error:
            raise StoreError(f"No gallery can be made in {folder}: {error}") from error
        store = cls(folder)
        if not store.space.same_as(space):
            raise StoreError(f"The gallery in {folder} was made with another model. Choose another name.")
        return store

    @classmethod
    def open(cls, folder: Path) -> FaissStore:
        """The store in a folder.

        Args:
            folder: of the file.

        Raises:
            StoreError: there is none, or it is damaged.
            SpaceError: what its vectors mean cannot be read.
        """
        return cls(folder)

    def add(self, entries: pa.Table) -> None:
        """See `VectorStore.add`."""
        new = last_of_each_key(entries)
        keys = set(new.column("key").to_pylist())
        self._change(lambda old: pa.concat_tables([_without(old, keys), new]))

    def remove(self, keys: Collection[str]) -> None:
        """See `VectorStore.remove`."""
        self._change(lambda old: _without(old, keys))

    def search(self, vectors: NDArray[np.float32], k: int, where: Where | None = None) -> list[list[Hit]]:
        """See `VectorStore.search`. Exact.

        Args:
            vectors, k, where: as there.
        """
        held = self._now()
        allowed = allowed_by(where, held.labels, held.confidences)
        for key in () if where is None else where.exclude:
            if key in held.row_of:
                allowed[held.row_of[key]] = False
        k = min(k, int(allowed.sum()))
        if not (k and len(vectors)):
            return [[] for _ in vectors]
        selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))  # type: ignore[call-arg, arg-type]
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        with one_faiss_thread():
            cosines, rows = held.index.search(np.ascontiguousarray(vectors, np.float32), k, params=parameters)
        keys = held.entries.column("key")
        return [
            [Hit(keys[row].as_py(), min(1.0, cosine)) for row, cosine in zip(*of_query, strict=True)]
            for of_query in zip(rows.tolist(), cosines.tolist(), strict=True)
        ]

    def get(self, keys: Sequence[str]) -> pa.Table:
        """See `VectorStore.get`."""
        held = self._now()
        return held.entries.take(pa.array([held.row_of[key] for key in keys if key in held.row_of], pa.int64()))

    def count(self) -> int:
        """See `VectorStore.count`."""
        return len(self._now().row_of)

    def batches(self, columns: Sequence[str], rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """See `VectorStore.batches`.

        Args:
            columns, rows: as there.
        """
        yield from self._now().entries.select(list(columns)).to_batches(rows)

    def _now(self) -> _Held:
        """The file as it is now."""
        with self._lock:
            if _stamp(self.folder) != self._kept.stamp:
                self._kept = _read(self.folder)
            return self._kept

    def _change(self, change: Callable[[pa.Table], pa.Table]) -> None:
        with locked(self.folder, wait=True):
            old = self._now().entries
            new = change(old)
            if new is not old:
                _write(self.folder, self.space, new)


def _without(entries: pa.Table, keys: Collection[str]) -> pa.Table:
    """The entries without those of some keys; the table itself where it has none of them."""
    others = pa.array([key not in keys for key in entries.column("key").to_pylist()], pa.bool_())
    return entries.filter(others) if others.false_count else entries


def _write(folder: Path, space: EmbeddingSpace, entries: pa.Table) -> None:
    described = entries.replace_schema_metadata({_SPACE: base64.b64encode(space.to_bytes())})
    # Vectors of noise do not compress, and hardly anything else is there.
    write_atomically(folder / ENTRIES_FILE, lambda beside: pq.write_table(described, beside, compression="none"))


def _stamp(folder: Path) -> tuple[int, int, int]:
    try:
        found = (folder / ENTRIES_FILE).stat()
    except OSError as error:
        raise StoreError(f"There is no gallery in {folder}. `flowers index` makes one.") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(folder: Path) -> _Held:
    stamp = _stamp(folder)  # before the file: one that is replaced meanwhile is read once more
    try:
        table = pq.ParquetFile(folder / ENTRIES_FILE).read()
        space = EmbeddingSpace.from_bytes(base64.b64decode((table.schema.metadata or {})[_SPACE]))
        entries = table.replace_schema_metadata(None).cast(entry_schema(space.dimension)).combine_chunks()
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise StoreError(f"{folder / ENTRIES_FILE} is damaged, or holds no gallery. ({error})") from error
    index = faiss.IndexFlatIP(space.dimension)
    index.add(vectors_of(entries))
    return _Held(
        stamp,
        space,
        entries,
        {key: row for row, key in enumerate(entries.column("key").to_pylist())},
        entries.column("label").to_numpy(),
        entries.column("confidence").to_numpy(),
        index,
    )
