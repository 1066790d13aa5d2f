"""What a training run tells other processes: one JSON object a line, each there as soon as it happened.

The words that a person reads at the terminal are no part of it: they can change without anybody noticing.
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
    """One thing that happened.

    Attributes:
        kind: "progress", "phase begins", "epoch", "phase ends".
        at: seconds since 1970, as `time.time` counts them.
        title: of a progress: what is done.
        done, total: how many steps of it, or which epoch of how many.
        phase: `HEAD` or `TAIL`, of an epoch or a phase.
        loss: of an epoch.
        validation_top1: after an epoch or a phase, 0…1; None where the validation photos are learnt from.
        seconds: that an epoch took.
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


#: Takes an event; the time is noted when it arrives.
Emit = Callable[[Event], None]


def unheard(event: Event) -> None:
    """Where nobody listens."""
    del event


class EventLog:
    """A file of events that grows; call it with each."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open the file, and make it where it is not there."""
        self._lines, self._clock = JsonLines(path), clock

    def __call__(self, event: Event) -> None:
        """Note an event with the time."""
        self._lines.add(to_json(replace(event, at=self._clock())))


def read_events(path: Path) -> Iterator[Event]:
    """The events of a run, in order. Raises JsonValueError for a line that is none."""
    return (from_json(Event, values) for values in read_json_lines(path))
