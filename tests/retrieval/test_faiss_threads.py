"""FAISS on one thread for a while, on the calling thread only."""

import threading

import faiss
import pytest

from flowers_core.retrieval.faiss_threads import one_faiss_thread


@pytest.fixture(autouse=True)
def three_threads():
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    yield
    faiss.omp_set_num_threads(before)


def test_the_number_of_threads_is_one_inside_and_restored_afterwards() -> None:
    with one_faiss_thread():
        assert faiss.omp_get_max_threads() == 1
    assert faiss.omp_get_max_threads() == 3


def test_it_is_restored_after_an_error() -> None:
    with pytest.raises(ValueError, match="inside"), one_faiss_thread():
        raise ValueError("inside")
    assert faiss.omp_get_max_threads() == 3


def test_other_threads_keep_their_number() -> None:
    found = []

    def other() -> None:
        faiss.omp_set_num_threads(2)
        with_own.set()
        inside.wait(10)
        found.append(faiss.omp_get_max_threads())

    with_own, inside = threading.Event(), threading.Event()
    thread = threading.Thread(target=other)
    thread.start()
    assert with_own.wait(10)
    with one_faiss_thread():
        inside.set()
        thread.join(10)
    assert found == [2]
