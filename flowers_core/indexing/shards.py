"""Shards: so many photos that one task embeds, and the Parquet file that keeps what came out.

A file is written beside and renamed, so it is whole or not there. Beside its entries it says, in the metadata of its
schema, which photos were left out and why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.indexing.sources import Source
from flowers_core.storage.files import write_atomically

ENDING = ".parquet"
_LEFT_OUT, _TAR = b"left_out", b"tar"


class ShardError(FlowersError):
    """A shard's file cannot be read."""


@dataclass(frozen=True)
class Shard:
    """Photos that one task embeds.

    Attributes:
        sources: the photos, or one tar.
    """

    sources: tuple[Source, ...]

    @property
    def name(self) -> str:
        """The same for the same photos, and for no others."""
        text = "\n".join(f"{source.modified!r} {source.uri}" for source in self.sources)
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]

    @property
    def tar(self) -> Source | None:
        """The tar that it is; None where it is photos."""
        return self.sources[0] if self.sources[0].is_tar else None


@dataclass(frozen=True)
class LeftOutPhoto:
    """A photo that could not be embedded.

    Attributes:
        uri: where it lies.
        sentence: why.
    """

    uri: str
    sentence: str


@dataclass(frozen=True)
class ShardFile:
    """A shard that is done.

    Attributes:
        path: its file.
        photos: how many entries it holds.
        left_out: the photos that it does not hold.
    """

    path: Path
    photos: int
    left_out: tuple[LeftOutPhoto, ...]


def shards_of(sources: Iterable[Source], size: int) -> Iterator[Shard]:
    """Cut photos into shards. A tar is a shard of its own: its maker has chosen the size.

    Args:
        sources: drawn from only as far as needed.
        size: photos in a shard, at least 1.
    """
    waiting: list[Source] = []
    for source in sources:
        if source.is_tar:
            yield Shard((source,))
            continue
        waiting.append(source)
        if len(waiting) == size:
            yield Shard(tuple(waiting))
            waiting = []
    if waiting:
        yield Shard(tuple(waiting))


def write_shard(folder: Path, shard: Shard, entries: pa.Table, left_out: Sequence[LeftOutPhoto]) -> ShardFile:
    """Write a shard's file in one step.

    Args:
        folder: of all shards.
        shard: what was embedded.
        entries: a row for each of its photos.
        left_out: its other photos.
    """
    said = {_LEFT_OUT: json.dumps([[photo.uri, photo.sentence] for photo in left_out])}
    if shard.tar is not None:
        said[_TAR] = json.dumps([shard.tar.uri, shard.tar.modified])
    described = entries.replace_schema_metadata(said)
    path = folder / f"{shard.name}{ENDING}"
    # Vectors of noise do not compress, and hardly anything else is there.
    write_atomically(path, lambda beside: pq.write_table(described, beside, compression="none"))
    return ShardFile(path, len(entries), tuple(left_out))


def shard_files(folder: Path) -> list[Path]:
    """The files of the shards that are done, in the order of their names."""
    return sorted(path for path in folder.glob(f"*{ENDING}") if not path.name.startswith("."))


def remove_half_files(folder: Path) -> None:
    """Remove what processes left that were killed while they wrote.

    Args:
        folder: of the shards, into which nobody writes now.
    """
    for path in folder.glob(f".*.partial{ENDING}"):
        path.unlink(missing_ok=True)


def read_shard(path: Path) -> pa.Table:
    """A shard's entries. Raises ShardError for a file that holds none."""
    try:
        return pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise ShardError(f"{path} is damaged: delete it, and its photos are embedded again. ({error})") from error


class Embedded:
    """What the shards in a folder hold, without the vectors: some bytes for each photo.

    Attributes:
        photos: how many entries there are.
        distinct: how many of them differ in their bytes.
    """

    def __init__(self, folder: Path) -> None:
        """folder: of the shards."""
        seen: list[NDArray[np.int64]] = []
        keys: list[NDArray[np.uint64]] = []
        for path in shard_files(folder):
            sources, of_shard = _contents(path)
            # Hashes of this process are enough: they are compared here only.
            seen.append(np.array([hash(source) for source in sources], np.int64))
            keys.append(np.array([int(key[:16], 16) for key in of_shard], np.uint64))
        self._seen = np.sort(np.concatenate([*seen, np.empty(0, np.int64)]))
        self.photos = sum(map(len, keys))
        self.distinct = len(np.unique(np.concatenate([*keys, np.empty(0, np.uint64)])))

    def __contains__(self, source: Source) -> bool:
        at = np.searchsorted(self._seen, wanted := hash(source))
        return bool(at < len(self._seen) and self._seen[at] == wanted)


def _contents(path: Path) -> tuple[list[Source], list[str]]:
    """The photos or the tar that a shard's file makes needless to read again, and the keys of its entries."""
    try:
        table = pq.ParquetFile(path).read(["key", "path", "modified"])
        said = table.schema.metadata or {}
        left_out = [uri for uri, _ in json.loads(said[_LEFT_OUT])]
        tar = Source(*json.loads(said[_TAR])) if _TAR in said else None
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise ShardError(f"{path} is damaged: delete it, and its photos are embedded again. ({error})") from error
    keys = table.column("key").to_pylist()
    if tar is not None:
        return ([] if tar.uri in left_out else [tar]), keys
    return list(map(Source, table.column("path").to_pylist(), table.column("modified").to_pylist())), keys
