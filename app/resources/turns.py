"""Work that takes seconds, one session after the other: the page of everybody else answers meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

import streamlit as st

# One method at a time has all cores already: the runtime spreads its looks over several interpreters, and TensorFlow
# its operations. Two at a time would only take twice as long each, and twice the memory.
AT_ONCE = 1
# Seconds between two words to somebody who waits. So soon, too, is it noticed that they went away.
EVERY = 0.5


class Turns:
    """First come, first served: so many threads are at work at a time, the others wait in line."""

    def __init__(self, at_once: int) -> None:
        """Begin with an empty line.

        Args:
            at_once: threads that work at a time, at least 1.
        """
        self._at_once = at_once
        # Tickets in the order in which they were drawn. Who has one of the first `at_once` is at work.
        self._line: list[object] = []
        self._moved = Condition()

    @contextmanager
    def turn(self, waiting: Callable[[int], None], every: float = EVERY) -> Iterator[None]:
        """Wait in line, then work to the end of the block.

        A thread that has a turn must not ask for another: it would wait for itself.

        Args:
            waiting: called again and again while all are at work, with how many come before. What it raises ends the
                wait, and the place in the line is given up.
            every: seconds between two such calls.
        """
        ticket = object()
        with self._moved:
            self._line.append(ticket)
        try:
            while (before := self._before(ticket)) > 0:
                waiting(before)  # it may take long or not come back, so nobody is kept from moving up
                with self._moved:
                    if self._before(ticket) == before:
                        self._moved.wait(every)
            yield
        finally:
            with self._moved:
                self._line.remove(ticket)
                self._moved.notify_all()

    def _before(self, ticket: object) -> int:
        """How many must leave until the ticket's turn has come; 0 or less where it has."""
        with self._moved:
            return self._line.index(ticket) + 1 - self._at_once


@st.cache_resource(show_spinner=False)
def heavy_work() -> Turns:
    """The line of this server for whatever takes seconds: LIME, TensorFlow, the test of a map."""
    return Turns(AT_ONCE)
