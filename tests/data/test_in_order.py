import threading

import pytest

from flowers_core.data.in_order import in_order


def test_results_come_in_order_though_the_first_takes_longest() -> None:
    second_done = threading.Event()

    def work(thing: int) -> int:
        if thing == 0:
            assert second_done.wait(10)
        else:
            second_done.set()
        return thing * 10

    assert list(in_order(work, range(4), 2)) == [0, 10, 20, 30]


def test_only_so_many_things_are_drawn_ahead() -> None:
    drawn: list[int] = []
    results = in_order(abs, (drawn.append(thing) or thing for thing in range(100)), 3)
    assert next(results) == 0
    assert drawn == [*range(7)]
    assert len(list(results)) == 99


def test_what_the_work_raises_is_raised_in_its_place() -> None:
    results = in_order(lambda thing: 1 // thing, [1, 0, 1], 1)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
