"""A download in a thread of its own, which any number of people watch, and any of them may stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from flowers_core.data.download.progress import DownloadError, Progress, Report

_ENDED = "The download ended unexpectedly; the log of the server says why. Begin it again to go on from there."


@dataclass(frozen=True)
class DownloadState:
    """How a download stands.

    Attributes:
        running: whether it is under way.
        progress: what it told last; None before it told anything.
        problem: why it ended, in a sentence; "" where it did not, or was stopped, or is complete.
        complete: whether it has come to its end.
    """

    running: bool = False
    progress: Progress | None = None
    problem: str = ""
    complete: bool = False


class _Stopped(Exception):
    """Somebody stopped the download."""


class BackgroundDownload:
    """One download, begun and stopped from any thread. What has arrived is kept when it is stopped."""

    def __init__(self, download: Callable[[Report], object]) -> None:
        """Nothing begins yet.

        Args:
            download: the download; it tells its progress often, and ends where that raises.
        """
        self._download = download
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._state = DownloadState()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> DownloadState:
        """How it stands now."""
        return self._state

    def start(self) -> None:
        """Begin, or go on where it was stopped. Nothing happens while it is under way."""
        with self._lock:
            if self._state.running:
                return
            self._stopping.clear()
            self._state = DownloadState(running=True)
            # As a daemon it does not keep a server from ending; the next download goes on from what arrived.
            self._thread = threading.Thread(target=self._run, name="download", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask it to end. It does at its next word, within a second or so."""
        self._stopping.set()

    def wait(self, seconds: float) -> None:
        """Return once it has ended, or after so many seconds."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        end = DownloadState(problem=_ENDED)
        try:
            self._download(self._tell)
            end = DownloadState(complete=True)
        except _Stopped:
            end = DownloadState(progress=self._state.progress)
        except DownloadError as error:
            end = DownloadState(problem=str(error))
        finally:
            self._state = end

    def _tell(self, progress: Progress) -> None:
        if self._stopping.is_set():
            raise _Stopped
        self._state = DownloadState(running=True, progress=progress)
