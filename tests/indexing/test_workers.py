"""Processes that end with the one that began them, and a scheduler that is not there."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from flowers_core.indexing.window import GivenUp, over_window
from flowers_core.indexing.workers import ClusterError, cluster_workers
from tests.indexing.test_window import die_where_told

_PARENT = """
import os, time
from flowers_core.indexing.workers import local_workers

if __name__ == "__main__":
    print(local_workers(1).open().submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow  # two processes begin
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=here) as parent:
        worker = int(parent.stdout.readline())
        assert is_running(worker)
        os.kill(parent.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while is_running(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(worker)


def test_without_dask_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install -e '\.\[cluster\]'"):
        cluster_workers("tcp://127.0.0.1:1")


@pytest.mark.slow  # a scheduler and its workers begin
def test_a_dask_cluster_whose_workers_are_killed(tmp_path: Path) -> None:
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    work = partial(die_where_told, folder=tmp_path, deaths={2: 99})
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        workers = cluster_workers(cluster.scheduler_address)
        assert workers.count() == 2
        done = list(over_window(work, range(4), workers))
    assert sorted(result for result in done if isinstance(result, int)) == [0, 1, 9]
    assert [result for result in done if isinstance(result, GivenUp)] == [GivenUp(2)]


def test_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("flowers_core.indexing.workers._CONNECT_SECONDS", 0.2)
    with pytest.raises(ClusterError, match=r"No dask scheduler answers at tcp://127\.0\.0\.1:1: start one"):
        cluster_workers("tcp://127.0.0.1:1")
