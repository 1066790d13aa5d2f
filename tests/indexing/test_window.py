"""The rolling window over real processes: order of handing out, workers that are killed, errors that are raised."""

import os
import signal
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path

import pytest

from flowers_core.indexing.window import GivenUp, over_window
from flowers_core.indexing.workers import ClusterError, Workers, local_workers


class Immediate(Executor):
    """Runs each task when it is submitted, and counts those that were not asked for yet."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, work, /, *given):
        self.submitted += 1
        future: Future = Future()
        future.set_result(work(*given))
        return future


def die_where_told(thing: int, *, folder: Path, deaths: dict[int, int]) -> int:
    """Kill the own process as often as told for this thing, with marks in a folder as the memory of processes."""
    begun = len(list(folder.glob(f"{thing}-*")))
    (folder / f"{thing}-{begun}").touch()
    if begun < deaths.get(thing, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return thing * thing


def fail(thing: int) -> int:
    raise ZeroDivisionError(thing)


def test_only_so_many_things_are_drawn_ahead() -> None:
    drawn = []
    executor = Immediate()
    things = (drawn.append(number) or number for number in range(100))
    done = over_window(lambda thing: thing, things, Workers(lambda: executor, lambda: 3))
    assert next(done) in range(6)
    assert len(drawn) == executor.submitted == 6
    assert len({*done}) == 99
    assert len(drawn) == 100


def test_a_cluster_that_grows_gets_more() -> None:
    counts = iter([1, 5, *[5] * 100])
    executor = Immediate()
    done = over_window(lambda thing: thing, range(100), Workers(lambda: executor, lambda: next(counts)))
    assert {next(done), next(done)} == {0, 1}
    assert executor.submitted == 2
    next(done)
    assert executor.submitted == 2 + 10


def test_nothing_to_do_is_done() -> None:
    assert list(over_window(abs, [], Workers(Immediate, lambda: 2))) == []


def test_a_task_that_was_called_off_says_that_the_scheduler_has_gone() -> None:
    class Gone(Executor):
        def submit(self, *_):
            future: Future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(ClusterError, match="What was done is kept"):
        list(over_window(abs, [1], Workers(Gone, lambda: 1)))


@pytest.mark.slow  # each death costs new processes
def test_killed_workers_lose_nothing_and_the_one_that_kills_is_named(tmp_path: Path) -> None:
    work = partial(die_where_told, folder=tmp_path, deaths={2: 1, 5: 99})
    done = list(over_window(work, range(8), local_workers(2)))
    assert sorted(result for result in done if isinstance(result, int)) == [0, 1, 4, 9, 16, 36, 49]
    assert [result for result in done if isinstance(result, GivenUp)] == [GivenUp(5)]
    # What waited beside the one that killed is blamed with it, whether it was begun or not.
    assert len(list(tmp_path.glob("5-*"))) in (2, 3)


@pytest.mark.slow
def test_what_kills_every_worker_is_begun_three_times(tmp_path: Path) -> None:
    work = partial(die_where_told, folder=tmp_path, deaths={5: 99})
    done = list(over_window(work, range(8), local_workers(2)))
    assert [result for result in done if isinstance(result, GivenUp)] == [GivenUp(5)]
    assert len(list(tmp_path.glob("5-*"))) == 3


@pytest.mark.slow
def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError, match=r"[012]"):
        list(over_window(fail, range(3), local_workers(1)))
