"""The large gallery that the server's owner named in FLOWERS_GALLERY: opened once and shared by all sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.resources import server_settings
from app.resources.bundle_files import PREFERRED_FORMAT
from flowers_core.data.photo_ref import PhotoRef
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import Bundle, model_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flowers_core.retrieval.stores.entries import Hit, Where
    from flowers_core.retrieval.stores.quick_index import QuickIndex
    from flowers_core.retrieval.stores.store import VectorStore


def large_gallery(bundle: Bundle) -> VectorStore | None:
    """The store of the gallery, where one is named and was made with this model.

    Raises:
        FlowersError: one is named and cannot be opened.
    """
    place = server_settings.told_gallery()
    if place is None:
        return None
    store = _opened(place)
    return store if store.space.model == bundle.digest(model_file(PREFERRED_FORMAT)) else None


def nearest(
    store: VectorStore, embedding: NDArray[np.float32], k: int, where: Where | None = None
) -> list[tuple[Hit, dict[str, Any]]]:
    """The entries nearest to a photo, each with what is known of it.

    Args:
        store: of `large_gallery`.
        embedding: (c,), of the model that the gallery was made with.
        k: at least 1.
        where: which entries may be found; None for all.
    """
    hits = store.search(store.space.project(embedding[None]), k, where)[0]
    known = {row["key"]: row for row in entries(store, [hit.key for hit in hits])}
    return [(hit, known[hit.key]) for hit in hits if hit.key in known]


@dataclass(frozen=True, eq=False)
class MappedGallery:
    """A gallery whose photos have places on its model's map.

    Attributes:
        store: the entries.
        index: whose rows the map places.
        points: (n, 2) float32, mapped from disk.
    """

    store: VectorStore
    index: QuickIndex
    points: NDArray[np.float32]


def mapped_gallery(bundle: Bundle) -> MappedGallery | None:
    """The gallery with its map, where it is this model's and `flowers index` placed its photos.

    Raises:
        FlowersError: a gallery is named and cannot be opened.
    """
    from flowers_core.retrieval.stores.gallery_map import load_map
    from flowers_core.retrieval.stores.indexed_store import IndexedStore
    from flowers_core.retrieval.stores.open_store import index_folder

    store = large_gallery(bundle)
    if not isinstance(store, IndexedStore):
        return None
    points = load_map(index_folder(store.store.place), len(store.index))
    return None if points is None else MappedGallery(store, store.index, points)


def entries(store: VectorStore, keys: Sequence[str]) -> list[dict[str, Any]]:
    """What is known of some photos, in the order of their keys.

    Args:
        store: of `large_gallery`.
        keys: of the photos; those that are gone are left out.
    """
    return store.get(keys).drop_columns(["vector"]).to_pylist()


def gallery_ref(key: str) -> PhotoRef:
    """The reference to a photo of the gallery by its key."""
    return PhotoRef("gallery", 0, key)


def gallery_path(photo: PhotoRef) -> Path | None:
    """Where a photo of the gallery lay when it was indexed; None for an unknown one, or one in a bucket."""
    place = server_settings.told_gallery()
    if place is None:
        return None
    try:
        rows = entries(_opened(place), [photo.collection])
    except FlowersError:
        return None  # the neighbours say what is wrong with the gallery
    return Path(str(rows[0]["path"])) if rows and "://" not in str(rows[0]["path"]) else None


def _opened(place: str) -> VectorStore:
    from flowers_core.retrieval.stores.open_store import index_folder, place_of

    folder = index_folder(place_of(place))
    return _opened_once(place, folder.stat().st_mtime_ns if folder.is_dir() else 0)


@st.cache_resource(show_spinner=False, max_entries=1)
def _opened_once(place: str, indexed: int) -> VectorStore:  # noqa: ARG001 - an index that is made anew is opened anew
    from flowers_core.retrieval.stores.open_store import open_store

    return open_store(place)
