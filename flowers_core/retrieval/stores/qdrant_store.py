"""A store on a Qdrant server, for those who run one already, or whose gallery outgrows one machine.

The client's local mode (`:memory:` or a folder) answers alike, by a scan; it is for trying and for tests.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flowers_core.retrieval.stores.entries import (
    ENTRY_COLUMNS,
    VECTOR,
    Hit,
    Where,
    entries_of,
    entry_schema,
    last_of_each_key,
    vectors_of,
)
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError, require

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

# Points in one request.
_REQUEST = 1000
_SPACE = "space"


class QdrantStore:
    """Entries in a collection of Qdrant.

    Attributes:
        space: what its vectors are coordinates in.
    """

    def __init__(self, client: QdrantClient, collection: str, space: EmbeddingSpace) -> None:
        """Use `create` or `open`.

        Args:
            client: of a server, or local.
            collection: the gallery's name.
            space: as the attribute.
        """
        self.space, self._client, self._collection = space, client, collection

    @classmethod
    def create(cls, client: QdrantClient, collection: str, space: EmbeddingSpace) -> QdrantStore:
        """Make an empty store, or open the one that is there.

        Args:
            client: of a server, or local.
            collection: the gallery's name.
            space: what vectors will be coordinates in.

        Raises:
            StoreError: there is a store of another space, or the server does not answer.
        """
        from qdrant_client import models

        one_byte = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
        with _told(collection):
            if not client.collection_exists(collection):
                client.create_collection(
                    collection,
                    # In memory lies one byte a value; the vectors themselves are on disk.
                    models.VectorParams(size=space.dimension, distance=models.Distance.COSINE, on_disk=True),
                    quantization_config=models.ScalarQuantization(scalar=one_byte),
                )
            about = _about(collection)
            if not client.collection_exists(about):
                client.create_collection(about, models.VectorParams(size=1, distance=models.Distance.DOT))
                content = base64.b64encode(space.to_bytes()).decode()
                client.upsert(about, [models.PointStruct(id=0, vector=[1.0], payload={_SPACE: content})], wait=True)
        store = cls.open(client, collection)
        if not store.space.same_as(space):
            raise StoreError(f"The gallery {collection} was made with another model. Choose another name.")
        return store

    @classmethod
    def open(cls, client: QdrantClient, collection: str) -> QdrantStore:
        """The store in a collection.

        Args:
            client: of a server, or local.
            collection: the gallery's name.

        Raises:
            StoreError: there is none, or the server does not answer.
            SpaceError: it is damaged.
        """
        with _told(collection):
            points = client.retrieve(_about(collection), [0], with_payload=True)
        if not points:
            raise StoreError(f"The gallery {collection} is not whole. Make it anew.")
        return cls(client, collection, EmbeddingSpace.from_bytes(base64.b64decode((points[0].payload or {})[_SPACE])))

    def add(self, entries: pa.Table) -> None:
        """See `VectorStore.add`."""
        from qdrant_client import models

        with _told(self._collection):
            for batch in last_of_each_key(entries).to_batches(_REQUEST):
                points = models.Batch(
                    ids=[_id(key) for key in batch.column("key").to_pylist()],
                    vectors=vectors_of(batch).tolist(),
                    payloads=[_payload(row) for row in batch.drop_columns([VECTOR]).to_pylist()],
                )
                self._client.upsert(self._collection, points, wait=True)

    def remove(self, keys: Collection[str]) -> None:
        """See `VectorStore.remove`."""
        with _told(self._collection):
            self._client.delete(self._collection, [_id(key) for key in keys], wait=True)

    def search(self, vectors: NDArray[np.float32], k: int, where: Where | None = None) -> list[list[Hit]]:
        """See `VectorStore.search`.

        Args:
            vectors, k, where: as there.
        """
        from qdrant_client import models

        if where is not None and where.labels is not None and not where.labels:
            return [[] for _ in vectors]
        wanted = None if where is None else _filter(where)
        requests = [
            models.QueryRequest(query=vector, limit=k, filter=wanted, with_payload=["key"])
            for vector in np.asarray(vectors).tolist()
        ]
        with _told(self._collection):
            answers = self._client.query_batch_points(self._collection, requests) if requests else []
        return [
            [Hit((point.payload or {})["key"], min(1.0, point.score)) for point in answer.points] for answer in answers
        ]

    def get(self, keys: Sequence[str]) -> pa.Table:
        """See `VectorStore.get`."""
        with _told(self._collection):
            points = self._client.retrieve(self._collection, [_id(key) for key in keys], with_vectors=True)
        point_of = {str((point.payload or {})["key"]): point for point in points}
        return self._table([point_of[key] for key in keys if key in point_of])

    def count(self) -> int:
        """See `VectorStore.count`."""
        with _told(self._collection):
            return self._client.count(self._collection, exact=True).count

    def batches(self, columns: Sequence[str], rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """See `VectorStore.batches`.

        Args:
            columns, rows: as there.
        """
        offset: Any = None
        while True:
            with _told(self._collection):
                points, offset = self._client.scroll(
                    self._collection, limit=min(rows, _REQUEST), offset=offset, with_vectors=True
                )
            if points:
                yield from self._table(points).select(list(columns)).combine_chunks().to_batches()
            if offset is None:
                return

    def _table(self, points: Sequence[Any]) -> pa.Table:
        if not points:
            return entry_schema(self.space.dimension).empty_table()
        rows = [{**point.payload, "hash": int(point.payload["hash"], 16)} for point in points]
        return entries_of(
            [point.vector for point in points], **{name: [row[name] for row in rows] for name in ENTRY_COLUMNS}
        )


def connect(url: str) -> QdrantClient:
    """A client of a server.

    Args:
        url: such as `http://localhost:6333`.

    Raises:
        StoreError: the client is not installed.
    """
    client: QdrantClient = require("qdrant_client").QdrantClient(url=url, check_compatibility=False)
    return client


class _told:  # noqa: N801 - reads as a word
    """Make sentences of what the client raises about a gallery."""

    def __init__(self, collection: str) -> None:
        self._collection = collection

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from qdrant_client.http.exceptions import ApiException

        if isinstance(error, ApiException | ValueError):
            raise StoreError(f"Qdrant has no gallery {self._collection}, or does not answer: {error}") from error


def _about(collection: str) -> str:
    return f"{collection}-{_SPACE}"


def _id(key: str) -> str:
    """Qdrant takes UUIDs for ids, and no texts."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, key))


def _payload(row: dict[str, Any]) -> dict[str, Any]:
    # Numbers in a payload are signed; a hash uses all 64 bits.
    return {**row, "hash": f"{row['hash']:016x}"}


def _filter(where: Where) -> Any:
    from qdrant_client import models

    must: list[Any] = []
    if where.labels is not None:
        must.append(models.FieldCondition(key="label", match=models.MatchAny(any=sorted(where.labels))))
    if where.confidence > 0:
        must.append(
            models.FieldCondition(key="confidence", range=models.Range(gte=float(np.float32(where.confidence))))
        )
    excluded: list[Any] | None = (
        [models.HasIdCondition(has_id=[_id(key) for key in where.exclude])] if where.exclude else None
    )
    return models.Filter(must=must or None, must_not=excluded)
