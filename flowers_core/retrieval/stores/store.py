"""A store of vectors, as everything above it sees one: five verbs, whatever engine is below."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.retrieval.stores.entries import Hit, Where
from flowers_core.retrieval.stores.space import EmbeddingSpace


class StoreError(FlowersError):
    """A store that cannot be used, or that cannot do what it is asked."""


class VectorStore(Protocol):
    """Entries by key, searchable by cosine.

    Attributes:
        space: what its vectors are coordinates in; what is added and asked for is `space.project(embeddings)`.
    """

    space: EmbeddingSpace

    def add(self, entries: pa.Table) -> None:
        """Add entries; one whose key is there already takes its place. So what was added twice is there once.

        All of a call's entries are there when it returns, or an error is raised. A thousand in a call cost little
        more than one.

        Args:
            entries: of the schema `entry_schema(space.dimension)`; of a key that comes twice the last counts.
        """

    def remove(self, keys: Collection[str]) -> None:
        """Remove entries; a key that is not there is no error.

        Args:
            keys: of the entries.
        """

    def search(self, vectors: NDArray[np.float32], k: int, where: Where | None = None) -> list[list[Hit]]:
        """Find the entries nearest to each query.

        Args:
            vectors: (q, c) float32 of norm 1.
            k: at least 1.
            where: which entries may be found; None for all.

        Returns:
            For each query its hits, the most similar first; fewer than k where fewer are allowed.
        """

    def get(self, keys: Sequence[str]) -> pa.Table:
        """The entries with these keys, in their order; keys that are not there are left out.

        Args:
            keys: each once.
        """

    def count(self) -> int:
        """How many entries there are."""

    def batches(self, columns: Sequence[str], rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """All entries once, in no promised order: for what is made from a whole store.

        Args:
            columns: names of the schema's columns, `key` among them or not.
            rows: at most so many in a batch.
        """


def require(package: str) -> ModuleType:
    """A package that only large galleries need.

    Args:
        package: what is imported.

    Raises:
        StoreError: it is not installed; the sentence says what installs it.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise StoreError(
            f"Galleries of this kind need the package {package}: `pip install -e '.[large]'` in the project's folder."
        ) from error
