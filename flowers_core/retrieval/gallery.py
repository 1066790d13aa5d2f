"""The photos that a model finds similar: exact cosine neighbours over embeddings of one byte a value, on FAISS."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.photo_ref import OXFORD, PhotoSet
from flowers_core.retrieval.faiss_threads import one_faiss_thread
from flowers_core.retrieval.gallery_files import (
    INDEX_FILE,
    RECORDS_FILE,
    GalleryError,
    packed_digests,
    read_index,
)
from flowers_core.retrieval.neighbour import Neighbour

__all__ = ["INDEX_FILE", "RECORDS_FILE", "Gallery", "GalleryError", "unit_rows"]

_BLOCK = 1024


class Gallery:
    """Embeddings of the data set's photos, searchable by cosine.

    The vectors lie in a FAISS scalar quantizer (QT_8bit, inner product) with one byte for each value, scaled by the
    range of its dimension: a quarter of the size of float32. A search is exact on the vectors as stored. FAISS proposes
    photos by inner product in float32, and the proposals are ranked by cosine in float64, ties by photo id.

    Nothing changes after construction, and FAISS' search is thread-safe, so any number of threads may share a gallery.

    Attributes:
        ids: (n,) int64, each once.
        labels: (n,) int64, 1-based.
        splits: (n,) str.
        digests: (n, 16) uint8, the first half of each file's SHA-256; None in a gallery without digests.
        photo_set: the data set whose photos the ids mean.

    All arrays are read-only, in the order in which the gallery was built.
    """

    def __init__(
        self,
        index: Any,
        ids: NDArray[np.int64],
        labels: NDArray[np.int64],
        splits: NDArray[np.str_],
        digests: NDArray[np.uint8] | None = None,
        photo_set: PhotoSet = OXFORD,
    ) -> None:
        """Use `build` or `load`.

        Args:
            index: a trained faiss.IndexScalarQuantizer, with a vector for each id.
            ids, labels, splits, digests, photo_set: as the attributes.

        Raises:
            GalleryError: an id occurs twice, or a vector has no direction.
        """
        self._index, self.photo_set = index, photo_set
        self.ids, self.labels, self.splits, self.digests = ids, labels, splits, digests
        for array in (ids, labels, splits, *(() if digests is None else (digests,))):
            array.flags.writeable = False
        self._positions = {int(photo_id): position for position, photo_id in enumerate(ids)}
        if len(self._positions) != len(ids):
            raise GalleryError("A gallery cannot hold two photos of the same id.")
        # After compression norms are not exactly 1. Their extremes bound how far inner product and cosine can differ.
        norms = np.concatenate([np.linalg.norm(block, axis=1) for block in self._stored_blocks()])
        if not (np.isfinite(norms).all() and norms.min() > 0):
            raise GalleryError("The gallery's index holds vectors without a direction.")
        self._smallest_norm, self._largest_norm = float(norms.min()), float(norms.max())

    @classmethod
    def build(
        cls,
        embeddings: ArrayLike,
        ids: ArrayLike,
        labels: ArrayLike,
        splits: ArrayLike,
        digests: Sequence[str] | None = None,
    ) -> Gallery:
        """Compress embeddings into a gallery.

        Args:
            embeddings: (n, c), n ≥ 1, of any length but zero.
            ids: (n,), each once.
            labels: (n,), 1-based.
            splits: (n,).
            digests: the SHA-256 of each photo's file in hexadecimal, by which `ids_of` recognizes a photo.

        Raises:
            GalleryError: when the arrays do not fit each other, an id occurs twice, or an embedding is zero or not
                finite.
        """
        vectors = np.asarray(embeddings, dtype=np.float32)
        ids, labels = np.array(ids, dtype=np.int64), np.array(labels, dtype=np.int64)
        splits = np.array(splits, dtype=np.str_)
        if vectors.ndim != 2 or not vectors.size or any(a.shape != (len(vectors),) for a in (ids, labels, splits)):
            raise GalleryError(
                f"A gallery needs one embedding, id, label and split for each of its photos, not arrays of shape "
                f"{vectors.shape}, {ids.shape}, {labels.shape} and {splits.shape}."
            )
        if digests is not None and len(digests) != len(vectors):
            raise GalleryError(f"There are {len(digests)} digests for {len(vectors)} photos.")
        unit = unit_rows(vectors)
        index = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        # The range of every dimension is taken from all vectors, so no value is clipped.
        index.train(unit)
        index.add(unit)
        return cls(index, ids, labels, splits, None if digests is None else packed_digests(digests))

    @classmethod
    def load(cls, index_path: Path, records_path: Path, photo_set: PhotoSet = OXFORD) -> Gallery:
        """Read the files of a gallery, `INDEX_FILE` and `RECORDS_FILE`.

        The digest is compared before FAISS sees the bytes, because its reader is written for trusted files.

        Args:
            index_path: the FAISS index.
            records_path: what the gallery knows of its photos.
            photo_set: the data set whose photos the ids mean, such as a bundle's.

        Raises:
            GalleryError: when a file is missing or damaged, or the two are not of one gallery.
        """
        index, records = read_index(index_path, records_path)
        return cls(index, records.ids, records.labels, records.splits, records.digests, photo_set)

    def index_bytes(self) -> bytes:
        """The FAISS index, the content of `INDEX_FILE`."""
        return faiss.serialize_index(self._index).tobytes()

    def record_arrays(self) -> dict[str, ArrayLike]:
        """The content of `RECORDS_FILE`, by name: everything but the index, and the digest of that index."""
        digest = hashlib.sha256(self.index_bytes()).hexdigest()
        arrays: dict[str, ArrayLike] = {"ids": self.ids, "labels": self.labels, "splits": self.splits}
        if self.digests is not None:
            arrays["digests"] = self.digests
        return {**arrays, "index_sha256": digest}

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, photo_id: object) -> bool:
        return photo_id in self._positions

    @property
    def dimension(self) -> int:
        """The number of values in an embedding."""
        return int(self._index.d)

    def ids_of(self, sha256: str) -> tuple[int, ...]:
        """The photos whose files have this SHA-256: a photo and its exact duplicates.

        Args:
            sha256: in hexadecimal; its first 128 bits are compared.

        Returns:
            Their ids, ascending; empty if there is no such photo, or the gallery has no digests.
        """
        if self.digests is None:
            return ()
        same = (self.digests == packed_digests([sha256])).all(axis=1)
        return tuple(sorted(int(photo_id) for photo_id in self.ids[same]))

    def vector(self, photo_id: int) -> NDArray[np.float32]:
        """A photo's embedding as stored, (c,) float32 of norm 1. Raises GalleryError for an unknown id."""
        return self.vectors_of([photo_id])[0]

    def vectors_of(self, photo_ids: ArrayLike) -> NDArray[np.float32]:
        """The embeddings of photos as stored, (n, c) float32 of norm 1. Raises GalleryError for an unknown id."""
        wanted = [int(photo_id) for photo_id in np.asarray(photo_ids)]
        unknown = [photo_id for photo_id in wanted if photo_id not in self._positions]
        if unknown:
            raise GalleryError(f"Photo {unknown[0]} is not in the gallery.")
        return self._vectors(np.array([self._positions[photo_id] for photo_id in wanted])).astype(np.float32)

    def vectors(self, splits: Collection[str] | None = None) -> NDArray[np.float32]:
        """The embeddings as stored.

        Args:
            splits: only photos of these; None for all.

        Returns:
            (n, c) float32 of norm 1, in the order of `ids`; 42 MB for 8189 photos of 1280 values.
        """
        chosen = np.arange(len(self)) if splits is None else np.flatnonzero(np.isin(self.splits, list(splits)))
        found = np.empty((len(chosen), self.dimension), np.float32)
        for start in range(0, len(chosen), _BLOCK):  # in blocks, for they are in double precision at first
            found[start : start + _BLOCK] = self._vectors(chosen[start : start + _BLOCK])
        return found

    def search(
        self,
        embedding: ArrayLike,
        k: int,
        *,
        splits: Collection[str] | None = None,
        labels: Collection[int] | None = None,
        exclude: Collection[int] = (),
    ) -> list[Neighbour]:
        """Find the k photos nearest to an embedding.

        Args:
            embedding: (c,), of any length but zero.
            k: at least 1.
            splits: only photos of these; None for all.
            labels: only photos of these; None for all.
            exclude: ids to leave out, in the gallery or not.

        Returns:
            The most similar first, ties by id; fewer than k if fewer are allowed. A neighbour's similarity is the
            cosine with `vector(photo_id)`.

        Raises:
            GalleryError: when the embedding has another length than the gallery's, is zero or not finite.
        """
        if k < 1:
            raise ValueError(f"Ask for at least one neighbour, not {k}.")
        query = self._query(embedding)
        allowed = self._allowed(splits, labels, exclude)
        left = int(allowed.sum())
        if left == 0:
            return []
        k = min(k, left)
        count = min(2 * k + 16, left)
        while True:
            positions, products = self._propose(query.astype(np.float32), count, allowed)
            # Not a matrix product: BLAS may round equal rows differently, but exact duplicates must be equal.
            cosines = np.clip((self._vectors(positions) * query).sum(axis=1), -1, 1)
            order = np.lexsort((self.ids[positions], -cosines))[:k]
            # FAISS ranks by inner product. A photo that it did not propose has at most the product of the last
            # proposal. If the highest cosine for that product is below the k-th, no such photo is among the first k.
            if count == left or cosines[order[-1]] > self._highest_cosine(products[-1]):
                break
            count = min(4 * count, left)
        return [
            Neighbour(self.photo_set.ref(self.ids[at]), int(self.labels[at]), str(self.splits[at]), float(cosine))
            for at, cosine in zip(positions[order], cosines[order], strict=True)
        ]

    def _query(self, embedding: ArrayLike) -> NDArray[np.float64]:
        query = np.asarray(embedding, dtype=np.float64)
        if query.shape != (self.dimension,):
            raise GalleryError(
                f"This gallery compares embeddings of {self.dimension} values, not of shape {query.shape}: "
                "it was built with another model."
            )
        return unit_rows(query[None])[0]

    def _allowed(
        self, splits: Collection[str] | None, labels: Collection[int] | None, exclude: Collection[int]
    ) -> NDArray[np.bool_]:
        if isinstance(splits, str):
            raise TypeError("splits must be a collection of names, such as {'train'}, not one string.")
        allowed = np.ones(len(self), dtype=bool)
        if splits is not None:
            allowed &= np.isin(self.splits, list(splits))
        if labels is not None:
            allowed &= np.isin(self.labels, list(labels))
        for photo_id in exclude:
            if photo_id in self._positions:
                allowed[self._positions[photo_id]] = False
        return allowed

    def _propose(
        self, query: NDArray[np.float32], count: int, allowed: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions and inner products of the `count` allowed vectors that FAISS finds nearest, nearest first."""
        parameters = None
        if not allowed.all():
            # FAISS widens these constructors when it is imported, where mypy cannot see it.
            selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        with one_faiss_thread():
            products, positions = self._index.search(query[None], count, params=parameters)
        return positions[0], products[0]

    def _highest_cosine(self, product: np.float32) -> float:
        """The largest cosine of any vector whose inner product, as FAISS computes it, is at most `product`."""
        # The rounding error of a sum of c products of unit vectors in float32 is at most about c · eps.
        highest = float(product) + 2 * self.dimension * float(np.finfo(np.float32).eps)
        return highest / (self._smallest_norm if highest > 0 else self._largest_norm)

    def _vectors(self, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        return unit_rows(self._index.reconstruct_batch(positions).astype(np.float64))

    def _stored_blocks(self) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(self), _BLOCK):
            yield self._index.reconstruct_n(start, min(_BLOCK, len(self) - start))


def unit_rows(vectors: NDArray[Any]) -> NDArray[Any]:
    """The rows (n, c) scaled to norm 1, in their own dtype. Raises GalleryError where a row has no direction."""
    unit = np.empty_like(vectors)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)
        norms = np.linalg.norm(block, axis=1, keepdims=True)
        if not (np.isfinite(norms).all() and norms.min() > 0):
            raise GalleryError("An embedding is zero, or holds values that are not finite numbers.")
        unit[start : start + _BLOCK] = block / norms
    return unit
