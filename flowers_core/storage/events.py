"""The events of a training run for other processes: one JSON object a line, written as soon as the event happens.

The lines that a person reads at the terminal are separate, so rewording them breaks no reader of events.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flowers_core.storage.json_lines import JsonLines, read_json_lines
from flowers_core.storage.typed_json import from_json, to_json

#: The phases: head warm-up on frozen features, and fine-tuning of what is unfrozen.
HEAD, TAIL = "head", "tail"


@dataclass(frozen=True)
class Event:
    """One thing that happened in a run.

    Attributes:
        kind: "progress", "phase begins", "epoch" or "phase ends".
        at: time in seconds since 1970, as `time.time` counts them.
        title: what the steps of a "progress" do.
        done, total: steps done and steps in all, or the epoch's number and the epochs in all.
        phase: `HEAD` or `TAIL`.
        loss: mean training loss of the epoch.
        validation_top1: accuracy after the epoch or phase, 0…1; None where the model learns from the validation photos.
        seconds: duration of the epoch.
    """

    kind: str
    at: float = 0.0
    title: str | None = None
    done: int | None = None
    total: int | None = None
    phase: str | None = None
    loss: float | None = None
    validation_top1: float | None = None
    seconds: float | None = None


#: Takes an event. The receiver adds the time.
Emit = Callable[[Event], None]


def unheard(event: Event) -> None:
    """Ignore an event: the `Emit` of a run that nobody watches."""
    del event


class EventLog:
    """A file of events that grows. Call it with each event."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open the file, and create it if it does not exist.

        Args:
            path: JSON lines; events are appended.
            clock: gives the time of each event, in seconds since 1970.
        """
        self._lines, self._clock = JsonLines(path), clock

    def __call__(self, event: Event) -> None:
        """Append an event with the time."""
        self._lines.add(to_json(replace(event, at=self._clock())))


def read_events(path: Path) -> Iterator[Event]:
    """The events of a run, in order. Raises JsonValueError for a line that holds no event."""
    return (from_json(Event, values) for values in read_json_lines(path))
