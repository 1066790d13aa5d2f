"""What a download tells the person who waits for it: how far it is, or why it cannot go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flowers_core.errors import FlowersError


class DownloadError(FlowersError):
    """A download cannot go on. The message is a sentence that says why and what would help."""


@dataclass(frozen=True)
class Progress:
    """How far a download is.

    Attributes:
        step: the current step; "waiting" is the pause before another attempt.
        name: the file's name.
        done: bytes, or photos while unpacking.
        total: bytes or photos in all; None if the server does not say.
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
        """The progress in words, for the person who waits."""
        if self.step == "unpacking":
            return f"Unpacking: photo {self.done} of {self.total}"
        if self.step == "checking":
            return f"Checking {self.name} …"
        done = amount(self.done, self.total)
        if self.step == "waiting":
            return f"The connection broke off at {done} of {self.name}; trying again …"
        return f"Downloading {self.name}: {done}"


Report = Callable[[Progress], None]


def amount(done: float, total: float | None = None) -> str:
    """An amount of data in words: "12 of 345 MB", or "12 MB" if the total is unknown.

    Args:
        done: bytes.
        total: bytes in all, or None.
    """
    unit, name = (1e6, "MB") if (total or done) >= 1e6 else (1e3, "kB")
    return f"{done / unit:.0f} of {total / unit:.0f} {name}" if total else f"{done / unit:.0f} {name}"
