"""The files of a gallery. FAISS' reader is written for trusted files, so the index's digest is checked first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.storage.files import sha256_of
from flowers_core.storage.npz import NpzError, read_npz

INDEX_FILE = "gallery.faiss"
RECORDS_FILE = "gallery.npz"
DIGEST_BYTES = 16

_ANEW = "`flowers build_gallery` makes the gallery anew."


class GalleryError(FlowersError):
    """A gallery that cannot be used, or a query that it cannot answer."""


@dataclass(frozen=True, eq=False)
class Records:
    """What a gallery stores about its photos apart from their vectors, in the order of the vectors.

    Attributes:
        ids: (n,) int64.
        labels: (n,) int64, 1-based.
        splits: (n,) str.
        digests: (n, DIGEST_BYTES) uint8, the first half of each file's SHA-256, or None.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    digests: NDArray[np.uint8] | None


def read_index(index_path: Path, records_path: Path) -> tuple[faiss.IndexScalarQuantizer, Records]:
    """Read the FAISS index and the records.

    Args:
        index_path: the index, `INDEX_FILE` of a bundle.
        records_path: the records, `RECORDS_FILE` of a bundle.

    Returns:
        The index, and the records of its vectors in the same order.

    Raises:
        GalleryError: when a file is missing or damaged, or the two do not belong together.
    """
    try:
        arrays = read_npz(records_path)
        found = sha256_of(index_path)
    except (NpzError, OSError) as error:
        reason = f"{index_path} cannot be read." if isinstance(error, OSError) else str(error)
        raise GalleryError(f"{reason} {_ANEW}") from error
    try:
        digest = str(arrays["index_sha256"])
        records = Records(
            arrays["ids"].astype(np.int64),
            arrays["labels"].astype(np.int64),
            arrays["splits"].astype(np.str_),
            arrays.get("digests"),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise GalleryError(f"{records_path} does not describe a gallery. {_ANEW}") from error
    if found != digest:
        raise GalleryError(f"{index_path} is damaged, or not the index that {records_path} belongs to. {_ANEW}")
    try:
        index = faiss.read_index(str(index_path))
    except RuntimeError as error:
        raise GalleryError(f"{index_path} is no FAISS index. {_ANEW}") from error
    if not isinstance(index, faiss.IndexScalarQuantizer) or index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise GalleryError(f"{index_path} is a FAISS index of another kind. {_ANEW}")
    _check_shapes(index.ntotal, records, index_path, records_path)
    return index, records


def _check_shapes(count: int, records: Records, index_path: Path, records_path: Path) -> None:
    arrays, digests = (records.ids, records.labels, records.splits), records.digests
    if count < 1 or any(array.shape != (count,) for array in arrays):
        raise GalleryError(f"{records_path} does not describe the {count} vectors of {index_path}. {_ANEW}")
    if digests is not None and (digests.dtype != np.uint8 or digests.shape != (count, DIGEST_BYTES)):
        raise GalleryError(f"{records_path} holds digests of another kind. {_ANEW}")


def packed_digests(digests: Sequence[str]) -> NDArray[np.uint8]:
    """The first half of each hexadecimal SHA-256: (n, 16) uint8. Raises GalleryError for anything else."""
    try:
        halves = b"".join(bytes.fromhex(digest)[:DIGEST_BYTES] for digest in digests)
        return np.frombuffer(halves, np.uint8).reshape(len(digests), DIGEST_BYTES).copy()
    except ValueError as error:
        raise GalleryError("A photo's digest must be a SHA-256 in hexadecimal.") from error
