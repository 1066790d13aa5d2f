import subprocess
import sys

import numpy as np
import pytest

from flowers_core.retrieval.stores.entries import Where
from flowers_core.retrieval.stores.indexed_store import IndexedStore
from tests.fixtures.store_entries import store_entries

AXES = np.eye(3, dtype=np.float32)


@pytest.fixture
def store(three_axes, tmp_path) -> IndexedStore:
    return IndexedStore.make(three_axes, tmp_path / "index")


def found(store, vector, k=3, where=None):
    return [hit.key for hit in store.search(np.array([vector], np.float32), k, where)[0]]


def test_what_came_since_is_found_and_counted(store):
    assert store.behind == 0
    store.add(store_entries(AXES[:1], ["w"], label=[7], confidence=[0.2]))
    assert store.behind == 1
    assert found(store, [1, 0, 0], 2) == ["w", "x"]
    assert found(store, [1, 0, 0], 1, Where(labels=frozenset({7}))) == ["w"]
    assert found(store, [1, 0, 0], 1, Where(confidence=0.3)) == []
    assert found(store, [1, 0, 0], 1, Where(exclude=frozenset({"w"}))) == ["x"]


def test_what_was_replaced_is_found_in_its_new_place_only(store):
    store.add(store_entries(AXES[2:], ["x"]))
    hits = store.search(AXES[:1], 3)[0]
    assert [(hit.key, round(hit.similarity, 2)) for hit in hits if hit.key == "x"] == [("x", 0.0)]
    assert store.behind == 1


def test_what_was_removed_is_not_found(store):
    store.remove(["x"])
    assert set(found(store, [1, 0, 0])) == {"y", "z"}
    store.add(store_entries(AXES[:1], ["x"]))
    store.remove(["x", "y"])
    assert found(store, [1, 0, 0]) == ["z"]


def test_tidying_changes_nothing(store):
    store.add(store_entries(AXES[:1], ["w"]))
    store.store.tidy()
    assert store.behind == 1
    assert found(store, [1, 0, 0], 2) == ["w", "x"]


OTHER_PROCESS = """
import sys
import numpy as np
from flowers_core.retrieval.stores.lance_store import LanceStore
from tests.fixtures.store_entries import store_entries

store = LanceStore.open(sys.argv[1])
for _ in range(10):
    store.add(store_entries(np.eye(3, dtype=np.float32)[:2], ["both", sys.argv[2]]))
print(store.count())
"""


@pytest.mark.slow
def test_what_other_processes_add_is_found_here(store):
    """Two others add at one time, one photo each and one that both have; this one was opened before."""
    place = store.store.place
    others = [subprocess.Popen([sys.executable, "-c", OTHER_PROCESS, place, name]) for name in ("left", "right")]
    assert [other.wait(60) for other in others] == [0, 0]
    assert store.count() == 6
    assert set(found(store, [1, 0, 0], 2)) == {"x", "both"}
    assert set(found(store, [0, 1, 0], 3)) == {"y", "left", "right"}
