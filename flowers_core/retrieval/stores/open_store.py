"""The store that a person's words name: a gallery's name, a folder, a bucket, a server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from flowers_core.retrieval.stores.faiss_store import FaissStore
from flowers_core.retrieval.stores.indexed_store import IndexedStore
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.qdrant_store import QdrantStore, connect
from flowers_core.retrieval.stores.quick_index import QuickIndex
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import VectorStore
from flowers_core.storage.paths import default_cache_dir, default_galleries_dir

_INDEX = "quick-index"
_FAISS = "faiss+"
#: Photos from which on a quick index is made: below, LanceDB compares all of them in a tenth of a second.
WORTH_AN_INDEX = 10_000


def place_of(gallery: str) -> str:
    """Where a gallery lies.

    Args:
        gallery: a name, then it lies in the folder of galleries; or a folder with a `/`; either after `faiss+` for one
            in a file that FAISS searches; or a URI, such as `s3://bucket/name`, or `qdrant+http://localhost:6333/name`
            for one on a server of Qdrant.

    Returns:
        A folder or a URI.
    """
    gallery = gallery.removeprefix(_FAISS)
    return gallery if "/" in gallery or "\\" in gallery else str(default_galleries_dir() / gallery)


def open_store(gallery: str) -> VectorStore:
    """The store of a gallery, with its quick index where there is one.

    Args:
        gallery: as `place_of` takes it.

    Raises:
        StoreError: there is none, or its engine is not installed.
    """
    if found := _on_server(gallery):
        return QdrantStore.open(connect(found["server"]), found["collection"])
    if gallery.startswith(_FAISS):
        return FaissStore.open(Path(place_of(gallery)))
    store = LanceStore.open(place_of(gallery))
    folder = index_folder(store.place)
    return IndexedStore(store, QuickIndex.load(folder)) if folder.is_dir() else store


def create_store(gallery: str, space: EmbeddingSpace) -> VectorStore:
    """The store of a gallery, empty where there was none.

    Args:
        gallery: as `place_of` takes it.
        space: what its vectors are coordinates in.

    Raises:
        StoreError: there is one of another space, or its engine is not installed.
    """
    if found := _on_server(gallery):
        return QdrantStore.create(connect(found["server"]), found["collection"], space)
    if gallery.startswith(_FAISS):
        return FaissStore.create(Path(place_of(gallery)), space)
    return LanceStore.create(place_of(gallery), space)


def quick_index(
    gallery: str, least: int = WORTH_AN_INDEX, behind: float = 0.1, starting: Callable[[], None] = lambda: None
) -> QuickIndex | None:
    """The quick index of a gallery, made anew where much of the gallery came since; LanceDB's own with it.

    Args:
        gallery: as `place_of` takes it.
        least: photos from which on one is made.
        behind: fraction of the gallery that may have come since it was made.
        starting: called before one is made, which takes a minute for a million photos.

    Returns:
        The index; None for a gallery that needs none: a small one, one in a file, or one on a server of Qdrant.

    Raises:
        StoreError: there is no such gallery.
    """
    store = open_store(gallery)
    if isinstance(store, QdrantStore | FaissStore) or store.count() < least:
        return None
    if isinstance(store, IndexedStore):
        if store.behind <= store.count() * behind:
            return store.index
        store = store.store
    assert isinstance(store, LanceStore)
    starting()
    store.make_index()
    return QuickIndex.make(store, index_folder(store.place))


def _on_server(gallery: str) -> re.Match[str] | None:
    return re.fullmatch(r"qdrant\+(?P<server>https?://[^/]+)/(?P<collection>[^/]+)", gallery)


def index_folder(place: str) -> Path:
    """Where the quick index of a store lies: in its folder, or, of one in a bucket, in this machine's cache.

    Args:
        place: of the store.
    """
    if "://" not in place:
        return Path(place) / _INDEX
    return default_cache_dir() / _INDEX / hashlib.sha256(place.encode()).hexdigest()[:16]
