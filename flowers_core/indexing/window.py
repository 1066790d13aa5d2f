"""A rolling window of tasks over very many things: only so many are handed out at a time, and a worker may die."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from flowers_core.indexing.workers import ClusterError, Workers

S = TypeVar("S")
T = TypeVar("T")
# Tasks handed out for each worker: one at work and one to follow.
_AHEAD = 2


@dataclass(frozen=True)
class GivenUp(Generic[S]):
    """A thing all of whose workers died.

    Attributes:
        thing: what they worked on.
    """

    thing: S


@dataclass
class _Task(Generic[S]):
    thing: S
    deaths: int = 0


def over_window(work: Callable[[S], T], things: Iterable[S], workers: Workers) -> Iterator[T | GivenUp[S]]:
    """What the work makes of each thing, in the order in which it is done.

    A thing whose worker died is tried again. With a process, its pool takes down all that is under way, so nobody knows
    which thing killed it: the last attempt at each is made with nothing beside it.

    Args:
        work: runs in a worker; it, the things and the results are pickled.
        things: drawn from only as far as needed.
        workers: run the tasks.

    Yields:
        Results; for a thing that was tried in vain, that it is given up.

    Raises:
        ClusterError: the scheduler has gone.
        Exception: what the work itself raises.
    """
    return _Window(work, things, workers).run()


class _Window(Generic[S, T]):
    def __init__(self, work: Callable[[S], T], things: Iterable[S], workers: Workers) -> None:
        self._work, self._workers, self._things = work, workers, iter(things)
        self._again: deque[_Task[S]] = deque()
        self._alone: deque[_Task[S]] = deque()
        self._flying: dict[Future[T], tuple[_Task[S], Executor]] = {}
        self._executor = workers.open()

    def run(self) -> Iterator[T | GivenUp[S]]:
        try:
            while self._fill():
                done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from self._landed(future)
        finally:
            for future in self._flying:
                future.cancel()
            self._executor.shutdown(wait=False)

    def _fill(self) -> bool:
        """Hand out what there is room for; whether anything is under way."""
        room = max(1, _AHEAD * self._workers.count())
        while len(self._flying) < room and (task := self._next()) is not None:
            self._submit(task)
        if not self._flying and self._alone:
            self._submit(self._alone.popleft())
        return bool(self._flying)

    def _next(self) -> _Task[S] | None:
        if self._again:
            return self._again.popleft()
        for thing in self._things:
            return _Task(thing)
        return None

    def _submit(self, task: _Task[S]) -> None:
        try:
            future = self._executor.submit(self._work, task.thing)
        except BrokenExecutor:
            self._renew()
            future = self._executor.submit(self._work, task.thing)
        self._flying[future] = task, self._executor

    def _landed(self, future: Future[T]) -> Iterator[T | GivenUp[S]]:
        task, executor = self._flying.pop(future)
        if future.cancelled():
            raise ClusterError("The scheduler has gone. What was done is kept: begin again when it is back.")
        error = future.exception()
        if error is None:
            yield future.result()
        elif not isinstance(error, self._workers.lost):
            raise error
        else:
            if isinstance(error, BrokenExecutor) and executor is self._executor:
                self._renew()
            task.deaths += 1
            if task.deaths >= self._workers.attempts:
                yield GivenUp(task.thing)
            else:
                (self._alone if task.deaths == self._workers.attempts - 1 else self._again).append(task)

    def _renew(self) -> None:
        self._executor.shutdown(wait=False)
        self._executor = self._workers.open()
