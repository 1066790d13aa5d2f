"""One process, and one thread of it, at a time in a folder; a killed one leaves nothing locked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowers_core.errors import FlowersError


class FolderBusy(FlowersError):
    """Somebody else holds the folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` through an advisory lock on a file in it, which the system releases when its holder dies.

    Raises FolderBusy at once when it is held, OSError when the file cannot be made.
    """
    # The file stays: removing it would let a third one lock a new file while a second still waits on the old.
    handle = os.open(folder / ".download.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _lock(handle)
        except (BlockingIOError, PermissionError) as error:  # the latter is what Windows says
            raise FolderBusy(f"{folder} is in use.") from error
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
