"""Work on several things at once, handed out in their order, in memory that does not grow with their number."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")
# Things under way for each thread: enough that none waits for the one that is handed out.
_AHEAD = 2


def in_order(work: Callable[[S], T], things: Iterable[S], threads: int) -> Iterator[T]:
    """What the work makes of each thing, in their order.

    Args:
        work: is called in threads, on several things at once.
        things: drawn from only as far as needed.
        threads: how many.
    """
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="in-order")
    try:
        for thing in things:
            waiting.append(pool.submit(work, thing))
            if len(waiting) > _AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
