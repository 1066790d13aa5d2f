"""Fetch one file over HTTP: resumed where it broke off, bounded in size, and checked by its md5.

This uses urllib. httpx and tenacity have neither resuming, nor a count of failures that progress resets, nor the checks
of space and md5, nor progress during a pause. They would replace some thirty lines by two dependencies.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from flowers_core.data.download.disk import open_raw, write
from flowers_core.data.download.progress import DownloadError, Progress, Report, amount

MOST_BYTES = 2 << 30  # far more than any file has; a server that never stops sending is cut off here
ATTEMPTS = 5  # failures in a row; an attempt that fetched a mebibyte starts the count anew
FIRST_PAUSE = 1.0  # seconds, doubled after each failure
TIMEOUT = 30.0  # seconds without a byte

_CHUNK = 1 << 16
_WORTH_RETRYING = {408, 425, 429, 500, 502, 503, 504}


def fetch(url: str, partial: Path, md5: str, report: Report, *, room: float = 1.0) -> None:
    """Fetch the file at `url` into `partial`, going on with the bytes that an earlier call left there.

    These bytes are hashed, and the server is asked for the rest (HTTP Range, RFC 9110 section 14). If it ignores the
    range and sends everything, the file starts anew. There is no If-Range: if the file changed in between, the md5 at
    the end shows it, and the file is fetched anew.

    Args:
        url: the file's address.
        partial: the file that collects the bytes. It has the given md5 when this returns.
        md5: digest of the whole file, hexadecimal.
        report: called often. Any exception it raises stops the download; the bytes that have arrived are kept.
        room: free space that the disk must have, as a multiple of the file's size.

    Raises:
        DownloadError: the server cannot be reached, breaks off too often, lacks the file or sends another one; or the
            disk is full.
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
            # Without a network the person learns it at once, not after half a minute.
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


class _BrokenOff(Exception):
    """A failure after which another attempt may succeed."""

    def __init__(self, reason: object, *, contacted: bool) -> None:
        super().__init__(str(reason))
        self.contacted = contacted

    def sentence(self, url: str, name: str, done: int) -> str:
        if not self.contacted:
            host = urllib.parse.urlsplit(url).netloc
            return f"{host} cannot be reached ({self}). Check the network connection and try again."
        return (
            f"The download of {name} broke off {ATTEMPTS} times in a row, last at {amount(done)} ({self}). "
            "Run it again to go on from there."
        )


class _Transfer:
    """One file in transfer: the bytes that have arrived, their running md5, and the request for the rest."""

    def __init__(self, url: str, partial: Path, name: str, report: Report, room: float) -> None:
        self.url, self.partial, self.name, self.report, self.room = url, partial, name, report, room
        self.done = 0
        self.total: int | None = None
        self._digest: Any = hashlib.md5(usedforsecurity=False)

    def md5(self) -> str:
        return self._digest.hexdigest()

    def hash_present(self) -> None:
        """Hash the bytes in the partial file, and go on from there."""
        self._restart()
        size = self.partial.stat().st_size if self.partial.exists() else 0
        if size:
            with open_raw(self.partial, "rb") as handle:
                while chunk := handle.read(1 << 20):
                    self._digest.update(chunk)
                    self.done += len(chunk)
                    self.report(Progress("checking", self.name, self.done, size))

    def forget(self) -> None:
        """Drop the bytes that have arrived."""
        self.partial.unlink(missing_ok=True)
        self._restart()

    def wait(self, seconds: float) -> None:
        """Pause. The report is called meanwhile, so that it can stop the download."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.report(Progress("waiting", self.name, self.done, self.total))
            time.sleep(min(left, 0.2))

    def go_on(self) -> None:
        """Make one request for the missing bytes. Raises _BrokenOff if another may succeed."""
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
            self.forget()  # these bytes are not the beginning of the server's file
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
                f"There is too little space in {self.partial.parent}: {amount(needed)} are needed and "
                f"{amount(free)} are free."
            )

    def _restart(self) -> None:
        self.done = 0
        self._digest = hashlib.md5(usedforsecurity=False)


def _continues(response: http.client.HTTPResponse, done: int) -> bool:
    """Whether the response goes on after `done` bytes. A server that ignores Range answers 200 with the whole file."""
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
