"""Fetch one file over HTTP: resumed where it broke off, bounded in size, and checked by its md5.

This stays on urllib. httpx and tenacity were weighed: what makes up this file (resuming, the count of failures that
progress resets, the check of space and md5, progress during a pause) is in neither, so that they would replace some
thirty lines by two dependencies.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import io
import re
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flowers_core.errors import FlowersError
from flowers_core.storage.files import FolderBusy, locked

MOST_BYTES = 2 << 30  # no file comes near; a server that sends without end is cut off here
ATTEMPTS = 5  # failures in a row; an attempt that brought a mebibyte starts the count anew
FIRST_PAUSE = 1.0  # seconds, doubled after each failure
TIMEOUT = 30.0  # seconds without a byte

_CHUNK = 1 << 16
_WORTH_RETRYING = {408, 425, 429, 500, 502, 503, 504}


class DownloadError(FlowersError):
    """A download that cannot go on. The message is a sentence that says why and what would help."""


@dataclass(frozen=True)
class Progress:
    """How far a download is.

    Attributes:
        step: what is being done; "waiting" is the pause before another attempt.
        name: of the file.
        done: bytes, or photos while unpacking.
        total: of the same; None where the server does not say it.
    """

    step: Literal["fetching", "waiting", "checking", "unpacking"]
    name: str
    done: int
    total: int | None

    @property
    def fraction(self) -> float:
        """The fraction of this step that is done, 0…1; 0 while the total is unknown."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def sentence(self) -> str:
        """For the person who waits."""
        if self.step == "unpacking":
            return f"Unpacking: photo {self.done} of {self.total}"
        if self.step == "checking":
            return f"Checking {self.name} …"
        amount = _amount(self.done, self.total)
        if self.step == "waiting":
            return f"The connection broke off at {amount} of {self.name}; trying again …"
        return f"Downloading {self.name}: {amount}"


Report = Callable[[Progress], None]


def fetch(url: str, partial: Path, md5: str, report: Report, *, room: float = 1.0) -> None:
    """Bring the file at `url` to `partial`, going on with what an earlier call left there.

    The bytes at hand are hashed and the server is asked for the rest (HTTP Range, RFC 9110 section 14). A server that
    ignores the range sends everything, and the file starts anew. There is no If-Range: the md5 at the end finds out
    whether the file changed in between, and then it is fetched anew as well.

    Args:
        url: of the file.
        partial: where the bytes are collected. It has the given md5 when this returns.
        md5: of the whole file, hexadecimal.
        report: is called often; whatever it raises stops the download and keeps what has arrived.
        room: how many times the file's size the disk must have room for.

    Raises:
        DownloadError: the server is out of reach, breaks off too often, or lacks the file; it sends another file than
            expected; the disk is full.
    """
    name = partial.name.removesuffix(".partial")
    transfer = _Transfer(url, partial, name, report, room)
    failures, furthest, contacted, fetched_anew = 0, 0, False, False
    transfer.hash_present()
    while transfer.md5() != md5:
        begun_at = transfer.done
        try:
            transfer.go_on()
        except _BrokenOff as error:
            contacted = contacted or error.contacted
            failures = 1 if transfer.done - furthest >= 1 << 20 else failures + 1
            furthest = max(furthest, transfer.done)
            # A machine without a network finds out at once, not after half a minute.
            if failures >= (ATTEMPTS if contacted else 2):
                raise DownloadError(error.sentence(url, name, transfer.done)) from error
            transfer.wait(FIRST_PAUSE * 2 ** (failures - 1))
            continue
        if transfer.md5() != md5:
            was = transfer.md5()
            transfer.forget()
            if begun_at == 0 or fetched_anew:
                raise DownloadError(
                    f"The server sent another file than the expected {name} (md5 {was} instead of {md5}). "
                    f"Check the address {url}, or try again later."
                )
            fetched_anew = True


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder so that no other download writes there; raises DownloadError where one does."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder))
        except FolderBusy as error:
            raise DownloadError(f"Another download into {folder} is under way. Wait until it is done.") from error
        yield


def open_raw(path: Path, mode: str) -> io.FileIO:
    """Open without a buffer, so that a full disk is found out in `write` and not in closing."""
    try:
        return io.FileIO(path, mode)
    except OSError as error:
        raise not_writable(path.parent, error) from error


def write(handle: io.FileIO, chunk: bytes, folder: Path) -> None:
    """Write all of it, turning a full disk or a refused write into a DownloadError."""
    left = memoryview(chunk)
    try:
        while left:
            left = left[handle.write(left) :]
    except OSError as error:
        raise not_writable(folder, error) from error


def not_writable(folder: Path, error: OSError) -> DownloadError:
    """The sentence for a folder that takes no more bytes."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(
            f"The disk that holds {folder} is full. Free some space and run it again to go on from here."
        )
    return DownloadError(f"{folder} cannot be written to: {error.strerror or error}.")


class _BrokenOff(Exception):
    """A failure that another attempt may mend."""

    def __init__(self, reason: object, *, contacted: bool) -> None:
        super().__init__(str(reason))
        self.contacted = contacted

    def sentence(self, url: str, name: str, done: int) -> str:
        if not self.contacted:
            host = urllib.parse.urlsplit(url).netloc
            return f"{host} cannot be reached ({self}). Check the network connection and try again."
        return (
            f"The download of {name} broke off {ATTEMPTS} times in a row, last at {_amount(done)} ({self}). "
            "Run it again to go on from there."
        )


class _Transfer:
    """The bytes of one file that have arrived, their running md5, and one request for the rest."""

    def __init__(self, url: str, partial: Path, name: str, report: Report, room: float) -> None:
        self.url, self.partial, self.name, self.report, self.room = url, partial, name, report, room
        self.done = 0
        self.total: int | None = None
        self._digest: Any = hashlib.md5(usedforsecurity=False)

    def md5(self) -> str:
        return self._digest.hexdigest()

    def hash_present(self) -> None:
        """Hash what lies in the partial file, and go on from there."""
        self._restart()
        size = self.partial.stat().st_size if self.partial.exists() else 0
        if size:
            with open_raw(self.partial, "rb") as handle:
                while chunk := handle.read(1 << 20):
                    self._digest.update(chunk)
                    self.done += len(chunk)
                    self.report(Progress("checking", self.name, self.done, size))

    def forget(self) -> None:
        """Drop what has arrived."""
        self.partial.unlink(missing_ok=True)
        self._restart()

    def wait(self, seconds: float) -> None:
        """Pause; the report is called all the while, so that it can stop the download."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.report(Progress("waiting", self.name, self.done, self.total))
            time.sleep(min(left, 0.2))

    def go_on(self) -> None:
        """One request for the bytes still missing. Raises _BrokenOff where another may succeed."""
        headers = {"User-Agent": "flowers", "Accept-Encoding": "identity"}
        if self.done:
            headers["Range"] = f"bytes={self.done}-"
        try:
            response = urllib.request.urlopen(urllib.request.Request(self.url, headers=headers), timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
            return
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(self.url, error) from error
        with response:
            self._take(response)

    def _refused(self, error: urllib.error.HTTPError) -> None:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self.done:
            self.forget()  # what is here is no beginning of the server's file
            raise _BrokenOff("the server has no such range", contacted=True) from error
        if error.code in _WORTH_RETRYING:
            raise _BrokenOff(f"the server answered {error.code} {error.reason}", contacted=True) from error
        raise DownloadError(
            f"{self.url} cannot be fetched: the server answered {error.code} {error.reason}. "
            "Check the address, or try again later."
        ) from error

    def _take(self, response: http.client.HTTPResponse) -> None:
        if self.done and not _continues(response, self.done):
            self._restart()
        length = response.headers.get("Content-Length")
        self.total = self.done + int(length) if length and length.isdecimal() else None
        self._check_room()
        with open_raw(self.partial, "r+b" if self.done else "wb") as handle:
            handle.seek(self.done)
            handle.truncate()
            while chunk := self._read(response):
                if self.done + len(chunk) > MOST_BYTES:
                    raise DownloadError(
                        f"{self.url} is larger than anything that is fetched here; it is not the right one."
                    )
                write(handle, chunk, self.partial.parent)
                self._digest.update(chunk)
                self.done += len(chunk)
                self.report(Progress("fetching", self.name, self.done, self.total))
        if self.total is not None and self.done < self.total:
            raise _BrokenOff("the connection was closed early", contacted=True)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        try:
            return response.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _BrokenOff(error or type(error).__name__, contacted=True) from error

    def _check_room(self) -> None:
        if self.total is None:
            return
        if self.total > MOST_BYTES:
            raise DownloadError(f"{self.url} is larger than anything that is fetched here; it is not the right one.")
        needed = self.room * self.total - self.done
        free = shutil.disk_usage(self.partial.parent).free
        if free < needed:
            raise DownloadError(
                f"There is too little space in {self.partial.parent}: {_amount(needed)} are needed and "
                f"{_amount(free)} are free."
            )

    def _restart(self) -> None:
        self.done = 0
        self._digest = hashlib.md5(usedforsecurity=False)


def _continues(response: http.client.HTTPResponse, done: int) -> bool:
    """Whether the answer goes on where we are; a server that ignores Range answers 200 with all of it."""
    content_range = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return (
        response.status == http.HTTPStatus.PARTIAL_CONTENT
        and content_range is not None
        and int(content_range[1]) == done
    )


def _unreachable(url: str, error: Exception) -> Exception:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return DownloadError(
            f"The server of {url} cannot prove who it is ({reason.verify_message}); nothing was fetched."
        )
    return _BrokenOff(getattr(reason, "strerror", None) or reason or type(reason).__name__, contacted=False)


def _amount(done: float, total: float | None = None) -> str:
    """ "12 of 345 MB", or "12 MB" where the total is unknown."""
    unit, name = (1e6, "MB") if (total or done) >= 1e6 else (1e3, "kB")
    return f"{done / unit:.0f} of {total / unit:.0f} {name}" if total else f"{done / unit:.0f} {name}"
