"""Entries of a large gallery: one row a photo, in columns, as Arrow tables.

LanceDB, Parquet and FAISS' arrays all speak Arrow, so a thousand entries are added without a Python object for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from flowers_core.errors import FlowersError


class EntriesError(FlowersError):
    """Entries that a gallery cannot take."""


#: All that is known of a photo apart from its vector.
ENTRY_FIELDS: tuple[pa.Field, ...] = (
    pa.field("key", pa.string(), nullable=False),  # SHA-256 of the file's bytes, hexadecimal
    pa.field("path", pa.string(), nullable=False),  # a path or a URI
    pa.field("label", pa.int16(), nullable=False),  # the model's answer, 1-based
    pa.field("name", pa.string(), nullable=False),  # the name of that class
    pa.field("confidence", pa.float32(), nullable=False),  # that the answer is right, [0, 1]
    pa.field("width", pa.int32(), nullable=False),  # of the upright photo, pixels
    pa.field("height", pa.int32(), nullable=False),
    pa.field("hash", pa.uint64(), nullable=False),  # `perceptual_hash` of the photo
    pa.field("modified", pa.float64(), nullable=False),  # when the file was last changed, seconds since 1970, UTC
)
#: The same, by name.
ENTRY_COLUMNS = tuple(field.name for field in ENTRY_FIELDS)
VECTOR = "vector"


def entry_schema(dimension: int) -> pa.Schema:
    """The columns of a table of entries: `ENTRY_FIELDS`, and `vector`, float32 of norm 1.

    Args:
        dimension: values in a vector, c.
    """
    return pa.schema([*ENTRY_FIELDS, pa.field(VECTOR, pa.list_(pa.float32(), dimension), nullable=False)])


def entries_of(vectors: ArrayLike, **columns: Sequence[Any] | NDArray[Any]) -> pa.Table:
    """A table of n entries.

    Args:
        vectors: (n, c), of norm 1.
        **columns: n values for each of `ENTRY_COLUMNS`.

    Raises:
        EntriesError: a column is missing or of another length, or a vector's norm is not 1.
    """
    values = np.ascontiguousarray(vectors, dtype=np.float32)
    if values.ndim != 2 or any(len(column) != len(values) for column in columns.values()):
        raise EntriesError("Entries need one vector and one value in each column for each photo.")
    if set(columns) != set(ENTRY_COLUMNS):
        raise EntriesError(f"Entries need the columns {', '.join(ENTRY_COLUMNS)}, and no others.")
    if not np.allclose(np.linalg.norm(values, axis=1), 1, atol=1e-3):
        raise EntriesError("Each vector of an entry must have norm 1.")
    arrays = [pa.array(columns[field.name], type=field.type) for field in ENTRY_FIELDS]
    flat = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
    return pa.table([*arrays, flat], schema=entry_schema(values.shape[1]))


def vectors_of(entries: pa.Table | pa.RecordBatch) -> NDArray[np.float32]:
    """The vectors of entries, (n, c) float32, without a copy where they lie in one piece.

    Args:
        entries: with a column `vector`.
    """
    column = entries.column(VECTOR)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), column.type.list_size)


def last_of_each_key(entries: pa.Table) -> pa.Table:
    """The entries without those whose key comes again later.

    Args:
        entries: with a column `key`.
    """
    rows = {key: row for row, key in enumerate(entries.column("key").to_pylist())}
    return entries if len(rows) == len(entries) else entries.take(sorted(rows.values()))


@dataclass(frozen=True)
class Where:
    """Which entries a search may find. What is None or empty allows all.

    Attributes:
        labels: only photos with one of these answers, 1-based.
        confidence: only photos whose answer is at least so sure, [0, 1].
        exclude: keys to leave out, in the store or not.
    """

    labels: frozenset[int] | None = None
    confidence: float = 0.0
    exclude: frozenset[str] = frozenset()


def allowed_by(where: Where | None, labels: NDArray[np.int16], confidences: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which entries a search may find by their answers; `Where.exclude` is left to the caller, who knows the keys.

    Args:
        where: None allows all.
        labels: (n,), 1-based.
        confidences: (n,).

    Returns:
        (n,) bool.
    """
    if where is None:
        return np.ones(len(labels), bool)
    allowed = confidences >= np.float32(where.confidence)
    if where.labels is not None:
        allowed &= np.isin(labels, list(where.labels))
    return allowed


@dataclass(frozen=True)
class Hit:
    """An entry that a search found.

    Attributes:
        key: of the entry.
        similarity: the cosine with the query as the store computes it, in [-1, 1].
    """

    key: str
    similarity: float
