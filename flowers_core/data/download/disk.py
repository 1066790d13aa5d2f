"""Write a download to disk: one download in a folder at a time, and a full disk told in a sentence."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flowers_core.data.download.progress import DownloadError
from flowers_core.storage.files import FolderBusy, locked


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder so that no other download writes there. Raises DownloadError if one does."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder))
        except FolderBusy as error:
            raise DownloadError(f"Another download into {folder} is under way. Wait until it is done.") from error
        yield


def open_raw(path: Path, mode: str) -> io.FileIO:
    """Open a file without a buffer, so that a full disk shows in `write` and not in closing.

    Args:
        path: the file.
        mode: as `io.FileIO` takes it.

    Raises:
        DownloadError: the file cannot be opened.
    """
    try:
        return io.FileIO(path, mode)
    except OSError as error:
        raise not_writable(path.parent, error) from error


def write(handle: io.FileIO, chunk: bytes, folder: Path) -> None:
    """Write a whole chunk.

    Args:
        handle: the open file.
        chunk: the bytes.
        folder: the file's folder, for the message of an error.

    Raises:
        DownloadError: the disk is full, or the write is refused.
    """
    left = memoryview(chunk)
    try:
        while left:
            left = left[handle.write(left) :]
    except OSError as error:
        raise not_writable(folder, error) from error


def not_writable(folder: Path, error: OSError) -> DownloadError:
    """The error for a folder that takes no more bytes.

    Args:
        folder: the folder.
        error: the refused write.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(
            f"The disk that holds {folder} is full. Free some space and run it again to go on from here."
        )
    return DownloadError(f"{folder} cannot be written to: {error.strerror or error}.")
