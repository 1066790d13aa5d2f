"""The files of a gallery: read with their digests compared, since FAISS' reader is written for files one trusts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.retrieval.large_index import LargeIndexError, Proposer
from flowers_core.storage.files import sha256_of
from flowers_core.storage.npz import NpzError, read_npz

INDEX_FILE = "gallery.faiss"
RECORDS_FILE = "gallery.npz"
PROPOSER_FILE = "gallery_lists.faiss"
DIGEST_BYTES = 16

_ANEW = "scripts/build_gallery.py makes the gallery anew."


class GalleryError(FlowersError):
    """A gallery, or a question to it, that cannot be used; the message is a sentence for the person who meets it."""


@dataclass(frozen=True, eq=False)
class Records:
    """What is known of each photo: ids, labels (n,) int64; splits (n,) str; digests (n, DIGEST_BYTES) uint8 or None.

    proposer_sha256: of the third file that a large gallery has.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    digests: NDArray[np.uint8] | None
    proposer_sha256: str | None


def read_index(index_path: Path, records_path: Path) -> tuple[Any, Records]:
    """The FAISS index and the records. Raises GalleryError when one is missing or damaged, or they do not match.

    The codes of a large gallery stay in the file, mapped into memory: a search reads the few that were proposed.
    """
    try:
        records = read_npz(records_path)
        found = sha256_of(index_path)
    except (NpzError, OSError) as error:
        reason = f"{index_path} cannot be read." if isinstance(error, OSError) else str(error)
        raise GalleryError(f"{reason} {_ANEW}") from error
    try:
        digest = str(records["index_sha256"])
        ids, labels = records["ids"].astype(np.int64), records["labels"].astype(np.int64)
        splits = records["splits"].astype(np.str_)
        digests = records.get("digests")
    except (KeyError, ValueError, TypeError) as error:
        raise GalleryError(f"{records_path} does not describe a gallery. {_ANEW}") from error
    if found != digest:
        raise GalleryError(f"{index_path} is damaged, or not the index that {records_path} belongs to. {_ANEW}")
    large = "proposer_sha256" in records
    try:
        index = faiss.read_index(str(index_path), faiss.IO_FLAG_MMAP_IFC if large else 0)
    except RuntimeError as error:
        raise GalleryError(f"{index_path} is no FAISS index. {_ANEW}") from error
    if not isinstance(index, faiss.IndexScalarQuantizer) or index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise GalleryError(f"{index_path} is a FAISS index of another kind. {_ANEW}")
    if index.ntotal < 1 or any(array.shape != (index.ntotal,) for array in (ids, labels, splits)):
        raise GalleryError(f"{records_path} does not describe the {index.ntotal} vectors of {index_path}. {_ANEW}")
    if digests is not None and (digests.dtype != np.uint8 or digests.shape != (index.ntotal, DIGEST_BYTES)):
        raise GalleryError(f"{records_path} holds digests that are none. {_ANEW}")
    proposer = records.get("proposer_sha256")
    return index, Records(ids, labels, splits, digests, None if proposer is None else str(proposer))


def read_proposer(path: Path, records: Records) -> Proposer:
    """The inverted lists of a large gallery. Raises GalleryError when they are missing, damaged or of another."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != records.proposer_sha256:
            raise GalleryError(f"{path} is damaged, or belongs to another gallery. {_ANEW}")
        proposer = Proposer.deserialized(content)
    except OSError as error:
        raise GalleryError(f"{path} cannot be read. {_ANEW}") from error
    except LargeIndexError as error:
        raise GalleryError(f"{error} {_ANEW}") from error
    if len(proposer) != len(records.ids):
        raise GalleryError(f"{path} belongs to another gallery. {_ANEW}")
    return proposer


def packed_digests(digests: Sequence[str]) -> NDArray[np.uint8]:
    """The first half of each hexadecimal SHA-256: (n, 16) uint8. Raises GalleryError for anything else."""
    try:
        halves = b"".join(bytes.fromhex(digest)[:DIGEST_BYTES] for digest in digests)
        return np.frombuffer(halves, np.uint8).reshape(len(digests), DIGEST_BYTES).copy()
    except ValueError as error:
        raise GalleryError("A photo's digest must be a SHA-256 in hexadecimal.") from error
