"""Who does the work: processes of this machine, or the workers of a dask scheduler on many."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import connection

from flowers_core.errors import FlowersError

_CONNECT_SECONDS = 10


class ClusterError(FlowersError):
    """The cluster cannot be reached, or is not there any more."""


@dataclass(frozen=True)
class Workers:
    """What runs tasks.

    Attributes:
        open: a new executor.
        count: how many tasks run at once, by now: a cluster grows.
        lost: errors of a task whose worker died.
        attempts: how often a task is begun before it is given up.
    """

    open: Callable[[], Executor]
    count: Callable[[], int]
    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)
    attempts: int = 3


def local_workers(count: int) -> Workers:
    """Processes of this machine.

    Args:
        count: how many.
    """

    def open_pool() -> Executor:
        # A forked process would inherit locks that threads of this one hold.
        return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_begin)

    return Workers(open_pool, lambda: count)


def cluster_workers(address: str) -> Workers:
    """The workers of a dask scheduler.

    The scheduler itself gives a task to another worker when one dies, as often as its `allowed-failures` says. It
    blames what waited at the same worker, too: what it gives up gets another attempt.

    Args:
        address: of the scheduler, such as "tcp://10.0.0.1:8786".

    Raises:
        ClusterError: dask is not installed, or no scheduler answers there.
    """
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise ClusterError(
            "dask hands out work to many machines: `pip install -e '.[cluster]'` in the project's folder on each."
        ) from error
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"No dask scheduler answers at {address}: start one with `dask scheduler`.") from error
    return Workers(
        # A task that is given up and asked for anew must not be answered by what is known of it.
        lambda: client.get_executor(pure=False),
        lambda: sum(client.nthreads().values()),
        lost=(KilledWorker,),
        attempts=2,
    )


def _begin() -> None:
    """What each process does first: Ctrl-C ends it without a word, and so does the end of the one that began it."""
    # A worker is a core. NumPy, which is not loaded yet, would begin a thread for each core of the machine.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
