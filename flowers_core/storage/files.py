"""Files that are whole or not there: write beside, then rename. The only writers of bytes, text, JSON and npz.

`locked` lets one writer at a time into a folder.
"""

import csv
import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowers_core.errors import FlowersError

_CHUNK = 1 << 20


class FolderBusy(FlowersError):
    """Another process or thread holds the folder."""


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a file next to `path`, then move it into place in one step.

    This is for libraries that write their files themselves. Bytes, text, JSON and arrays have writers below.

    Args:
        path: the file. If `write` raises, it keeps its old content, so a reader never sees half a file.
        write: takes a path with the same suffix as `path` (libraries choose a format by it) and leaves a file there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two threads of a server may write the same thumbnail at once.
    writer = f"{os.getpid()}-{threading.get_ident()}"
    beside = path.with_name(f".{path.stem}.{writer}.partial{path.suffix}")
    try:
        write(beside)
        with beside.open("rb+") as handle:
            os.fsync(handle.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def replace_folder(new: Path, target: Path, aside: Path) -> None:
    """Move a finished folder to where it belongs.

    Args:
        new: the folder, on the same disk.
        target: its place.
        aside: where a folder waits that is in that place; it comes back where the move fails.
    """
    replaced = os.path.lexists(target)
    if replaced:
        target.rename(aside)
    try:
        new.rename(target)
    except OSError:
        if replaced:
            aside.rename(target)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes in one step.

    Args:
        path: the file. Missing folders above it are created.
        content: the whole content.
    """

    def write(beside: Path) -> None:
        beside.write_bytes(content)

    write_atomically(path, write)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8 in one step.

    Args:
        path: the file. Missing folders above it are created.
        text: the whole content.
    """
    write_bytes(path, text.encode())


def write_json(path: Path, values: Any) -> None:
    """Write values as indented JSON in one step.

    Args:
        path: the file. Missing folders above it are created.
        values: dicts, lists, strings, finite numbers, booleans and None.

    Raises:
        ValueError: a number is not finite.
    """
    write_text(path, json_text(values))


def json_text(values: Any) -> str:
    """The indented JSON that `write_json` writes. Raises ValueError for a number that is not finite."""
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_npz(path: Path, *, compressed: bool = False, **arrays: ArrayLike) -> None:
    """Write named arrays as `.npz` in one step.

    Args:
        path: the file. Missing folders above it are created.
        compressed: whether to deflate the arrays.
        **arrays: the arrays by name, none of Python objects.
    """
    write_bytes(path, npz_bytes(compressed=compressed, **arrays))


def npz_bytes(*, compressed: bool = False, **arrays: ArrayLike) -> bytes:
    """Named arrays as the bytes of an `.npz` file.

    Args:
        compressed: whether to deflate the arrays.
        **arrays: the arrays by name.

    Raises:
        ValueError: an array holds Python objects, which would have to be pickled.
    """
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file in one step, with the byte order mark by which Excel recognizes UTF-8.

    Text that is not valid Unicode, such as an odd file name, is escaped. Read the file with the encoding "utf-8-sig".

    Args:
        path: the file. Missing folders above it are created.
        header: the names of the columns.
        rows: one sequence of values for each row, in the order of the columns.
    """

    def write(beside: Path) -> None:
        with beside.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as handle:
            table = csv.writer(handle, lineterminator="\n")
            table.writerow(header)
            table.writerows(rows)

    write_atomically(path, write)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in lower-case hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


#: What `locked` leaves in a folder.
LOCK_FILE = ".lock"


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a folder, so that only one thread of one process writes there at a time.

    The system releases the lock when its holder dies.

    Args:
        folder: that is written to.
        wait: until nobody else holds it.

    Raises:
        FolderBusy: another thread or process holds the folder; raised at once, unless `wait`.
        OSError: the lock file cannot be created in the folder.
    """
    from filelock import FileLock, Timeout  # readers do not need it

    # The file stays: removing it would let a third writer lock a new file while a second still waits on the old one.
    lock = FileLock(folder / LOCK_FILE, blocking=wait, preserve_lock_file=True, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise FolderBusy(f"{folder} is in use by another run. Wait until it is done.") from error
    try:
        yield
    finally:
        lock.release()
