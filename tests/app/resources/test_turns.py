"""Turns between real threads: how many work at a time, in which order, and what those who wait are told."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st

from app.resources.turns import AT_ONCE, Turns, heavy_work

LONG = 20


class Left(Exception):
    """Somebody went away."""


def never(before: int) -> None:
    pytest.fail(f"{before} came before")


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_than_so_many_work_at_a_time(at_once: int) -> None:
    turns, counting = Turns(at_once), threading.Lock()
    working, most, done = 0, 0, []

    def work(name: int) -> None:
        nonlocal working, most
        with turns.turn(str, every=0.01):
            with counting:
                working += 1
                most = max(most, working)
            time.sleep(0.002)
            with counting:
                working -= 1
                done.append(name)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(48)))
    assert sorted(done) == list(range(48))
    assert most == at_once


def test_who_comes_first_is_served_first_and_hears_who_is_before() -> None:
    turns, order = Turns(1), []
    heard: dict[str, list[int]] = {name: [] for name in "abc"}
    release = {name: threading.Event() for name in "abc"}
    lined_up = {name: threading.Event() for name in "abc"}

    def work(name: str) -> None:
        def waiting(before: int) -> None:
            heard[name].append(before)
            lined_up[name].set()

        with turns.turn(waiting, every=LONG):
            order.append(name)
            lined_up[name].set()
            assert release[name].wait(LONG)

    with ThreadPoolExecutor(3) as pool:
        jobs = []
        for name in "abc":
            jobs.append(pool.submit(work, name))
            assert lined_up[name].wait(LONG)
            lined_up[name].clear()
        assert order == ["a"]
        release["a"].set()
        for name in "bc":  # b is at work by now, and c has heard that it moved up
            assert lined_up[name].wait(LONG)
        release["b"].set()
        release["c"].set()
        for job in jobs:
            job.result(LONG)
    assert order == ["a", "b", "c"]
    # The last one hears when it moves up, long before the next word is due.
    assert heard == {"a": [], "b": [1], "c": [2, 1]}


def test_somebody_who_goes_away_leaves_the_line() -> None:
    turns, entered = Turns(1), threading.Event()
    let_go, results = threading.Event(), []

    def hold() -> None:
        with turns.turn(never):
            entered.set()
            assert let_go.wait(LONG)

    def leave(before: int) -> None:
        assert before == 1
        raise Left

    def stay(before: int) -> None:
        results.append(before)
        let_go.set()

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(LONG)
    with pytest.raises(Left), turns.turn(leave):
        pytest.fail("it was not its turn")
    with turns.turn(stay):  # the one before is not counted any more
        results.append("served")
    holder.join(LONG)
    assert results == [1, "served"]


def test_work_that_fails_ends_the_turn() -> None:
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError), turns.turn(never):
        _ = 1 / 0
    with turns.turn(never):
        pass


def test_who_waits_is_told_again_and_again() -> None:
    turns, told = Turns(1), []
    entered, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with turns.turn(never):
            entered.set()
            assert enough.wait(LONG)

    def waiting(before: int) -> None:
        told.append(before)
        if len(told) == 3:
            enough.set()

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(hold)
        assert entered.wait(LONG)
        with turns.turn(waiting, every=0.01):
            pass
        job.result(LONG)
    assert set(told) == {1}
    assert len(told) >= 3


def test_a_server_has_one_line() -> None:
    st.cache_resource.clear()
    with ThreadPoolExecutor(4) as pool:
        assert len({id(turns) for turns in pool.map(lambda _: heavy_work(), range(16))}) == AT_ONCE == 1
