import subprocess
import sys

import numpy as np
import pytest

from flowers_core.retrieval.stores.entries import Where
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError
from tests.fixtures.store_entries import store_entries

AXES = np.eye(3, dtype=np.float32)


@pytest.fixture
def store(three_axes) -> LanceStore:
    return three_axes


def test_its_space_is_kept_with_it(store):
    assert LanceStore.open(store.place).space.same_as(store.space)


def test_the_version_grows_with_each_change_and_names_what_came_since(store):
    before = store.version
    store.add(store_entries(AXES[[0, 1]], ["x", "w"]))
    assert store.version > before
    changed, new = store.changed_since(before)
    assert (set(changed.column("key").to_pylist()), new) == ({"x", "w"}, 1)
    assert store.changed_since(store.version)[0].num_rows == 0


def test_known_names_those_that_are_there(store):
    assert store.known({"x", "z", "other"}) == {"x", "z"}


def test_with_an_index_of_its_own_it_finds_what_it_found(tmp_path):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((2000, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store = LanceStore.create(str(tmp_path / "gallery"), EmbeddingSpace("model", 8))
    store.add(store_entries(vectors, [str(at) for at in range(2000)]))
    before = store.search(vectors[:20], 10)
    store.make_index()
    after = store.search(vectors[:20], 10)
    shared = [len({hit.key for hit in a} & {hit.key for hit in b}) for a, b in zip(before, after, strict=True)]
    assert np.mean(shared) >= 9.5
    assert [hit.key for hit in store.search(vectors[:1], 1, Where(exclude=frozenset({"0"})))[0]] == [before[0][1].key]


def test_a_place_without_a_store_is_told(tmp_path):
    with pytest.raises(StoreError, match="There is no gallery"):
        LanceStore.open(str(tmp_path / "nothing"))


OTHER_PROCESS = """
import sys
import numpy as np
from flowers_core.retrieval.stores.lance_store import LanceStore
from tests.fixtures.store_entries import store_entries

store = LanceStore.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    store.add(store_entries(np.eye(3, dtype=np.float32)[:2], [f"both {number}", f"{sys.argv[2]} {number}"]))
"""


@pytest.mark.slow  # two processes begin
@pytest.mark.parametrize("indexed", [False, True])
def test_what_two_processes_add_at_a_time_is_there_once(store, indexed):
    if indexed:
        rng = np.random.default_rng(0)
        vectors = rng.standard_normal((300, 3))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        store.add(store_entries(vectors, [f"old {number}" for number in range(300)]))
        store.make_index()
    before = store.count()
    command = [sys.executable, "-c", OTHER_PROCESS, store.place]
    others = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("left", "right")
    ]
    assert [other.stdout.readline() for other in others] == ["ready\n"] * 2
    for other in others:
        other.stdin.write("go\n")
        other.stdin.flush()
    for other in others:
        other.communicate(timeout=120)
    assert [other.returncode for other in others] == [0, 0]
    assert store.count() == before + 60
