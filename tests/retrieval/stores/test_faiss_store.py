import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.retrieval.stores.faiss_store import ENTRIES_FILE, FaissStore
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError
from tests.fixtures.store_entries import store_entries

SPACE = EmbeddingSpace("model", 4, np.eye(4, 2, dtype=np.float32))
AXES = np.eye(2, dtype=np.float32)


@pytest.fixture
def folder(tmp_path) -> Path:
    FaissStore.create(tmp_path / "mine", SPACE).add(store_entries(AXES, ["a", "b"]))
    return tmp_path / "mine"


def test_a_gallery_is_one_file_that_outlives_its_store(folder):
    store = FaissStore.open(folder)
    assert store.space.same_as(SPACE)
    assert store.get(["b", "a"]).column("path").to_pylist() == ["photos/b.jpg", "photos/a.jpg"]
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == [ENTRIES_FILE]


def test_creating_it_again_keeps_what_it_holds_and_another_model_is_refused(folder):
    assert FaissStore.create(folder, SPACE).count() == 2
    with pytest.raises(StoreError, match="another model"):
        FaissStore.create(folder, EmbeddingSpace("other", 4, SPACE.axes))


def test_what_changes_nothing_writes_nothing(folder):
    before = (folder / ENTRIES_FILE).stat().st_ino
    FaissStore.open(folder).remove(["unknown"])
    assert (folder / ENTRIES_FILE).stat().st_ino == before


def test_a_search_is_exact_where_little_is_allowed(folder):
    """The eight that are allowed are the farthest of a thousand."""
    from flowers_core.retrieval.stores.entries import Where

    angles = np.linspace(0, np.pi / 2, 1000)
    store = FaissStore.open(folder)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    store.add(store_entries(circle, [str(at) for at in range(1000)], label=[1] * 992 + [2] * 8))
    hits = store.search(AXES[:1], 20, Where(labels=frozenset({2}), exclude=frozenset({"993"})))[0]
    assert [hit.key for hit in hits] == [str(at) for at in (992, 994, 995, 996, 997, 998, 999)] + ["b"]
    assert hits[0].similarity == pytest.approx(np.cos(angles[992]), abs=1e-6)


OTHER_PROCESS = """
import sys
from pathlib import Path
import numpy as np
from flowers_core.retrieval.stores.faiss_store import FaissStore
from tests.fixtures.store_entries import store_entries

store = FaissStore.open(Path(sys.argv[1]))
for number in range(10):
    store.add(store_entries(np.eye(2, dtype=np.float32), ["both", f"{sys.argv[2]}-{number}"]))
"""


@pytest.mark.slow  # two processes begin
def test_two_processes_that_add_at_a_time_lose_nothing_and_a_third_sees_it(folder):
    store = FaissStore.open(folder)
    others = [subprocess.Popen([sys.executable, "-c", OTHER_PROCESS, folder, name]) for name in ("left", "right")]
    assert [other.wait(60) for other in others] == [0, 0]
    assert store.count() == 2 + 1 + 20
    assert {hit.key for hit in store.search(AXES[:1], 2)[0]} == {"a", "both"}


def test_a_damaged_or_missing_file_is_told(folder, tmp_path):
    with pytest.raises(StoreError, match="There is no gallery"):
        FaissStore.open(tmp_path / "nothing")
    store = FaissStore.open(folder)
    (folder / ENTRIES_FILE).write_bytes((folder / ENTRIES_FILE).read_bytes()[:-9])
    for ask in (store.count, lambda: FaissStore.open(folder)):
        with pytest.raises(StoreError, match="is damaged"):
            ask()
