"""Interleaved timing and ratios, and Keras in its own process."""

import time
from pathlib import Path

import numpy as np
import pytest

from scripts.benchmarks.interleaved import SelfTimed, interleaved_times, ratio
from scripts.benchmarks.keras_worker import BACKENDS, KerasWorker, WorkerError
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier


def test_all_backends_see_each_input_in_turn_and_the_warm_up_is_not_counted():
    calls = []
    backends = {name: (lambda given, name=name: calls.append((name, given))) for name in ("one", "two")}
    times = interleaved_times(backends, [1, 2, 3], warm_up=1)
    assert calls == [("one", 1), ("two", 1), ("one", 2), ("two", 2), ("one", 3), ("two", 3)]
    assert {name: len(taken) for name, taken in times.items()} == {"one": 2, "two": 2}


def test_times_are_milliseconds():
    times = interleaved_times({"nap": lambda _: time.sleep(0.02)}, [None, None], warm_up=0)
    assert all(20 <= taken < 200 for taken in times["nap"])


def test_a_backend_that_times_itself_is_believed():
    times = interleaved_times({"elsewhere": SelfTimed}, [7.0, 1.5, 2.5], warm_up=1)
    assert times == {"elsewhere": [1.5, 2.5]}


@pytest.mark.slow
def test_keras_answers_in_a_process_of_its_own_and_times_itself(tmp_path: Path):
    path = tmp_path / "classifier.keras"
    tiny_classifier(classes=5).save(path)
    photo = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    with KerasWorker(path, 1) as worker:
        start = time.perf_counter()
        times = interleaved_times(worker.backends(), [photo] * 3, warm_up=1)
        seen = (time.perf_counter() - start) * 1e3
    assert tuple(times) == BACKENDS
    assert 0 < sum(sum(taken) for taken in times.values()) < seen
    assert all(len(taken) == 2 for taken in times.values())


@pytest.mark.slow
def test_a_worker_that_fails_says_why(tmp_path: Path):
    with pytest.raises(WorkerError, match=r"no\.keras"), KerasWorker(tmp_path / "no.keras", 1):
        pass


def test_the_ratio_is_of_neighbours_in_time():
    # A machine that grows ten times slower half-way: the ratio stays 4.
    assert ratio([4, 4, 40, 40], [1, 1, 10, 10]) == pytest.approx(4)
    assert ratio([1, 8, 3], [1, 1, 1]) == pytest.approx(np.median([1, 8, 3]))
