import numpy as np
import pytest

from flowers_core.retrieval.stores.entries import Where
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.quick_index import QuickIndex
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError
from tests.fixtures.store_entries import store_entries

COUNT, DIMENSION = 3000, 16
SPACE = EmbeddingSpace("model", DIMENSION)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Thirty groups, so that there is something to be found near each."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((30, DIMENSION))
    vectors = centres[np.arange(COUNT) % 30] + 0.4 * rng.standard_normal((COUNT, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def store(vectors, tmp_path_factory) -> LanceStore:
    store = LanceStore.create(str(tmp_path_factory.mktemp("gallery")), SPACE)
    store.add(store_entries(vectors, [str(at) for at in range(COUNT)]))
    return store


@pytest.fixture(scope="module")
def folder(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside") / "index"
    QuickIndex.make(store, folder)
    return folder


def keys_of(hits):
    return [[int(hit.key) for hit in of] for of in hits]


def test_it_finds_what_numpy_finds(folder, vectors):
    index = QuickIndex.load(folder)
    assert index.index.nlist == 75
    nearest = np.argsort(-vectors[:50] @ vectors.T, axis=1)[:, :10]
    found = keys_of(index.search(vectors[:50], 10))
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, nearest.tolist(), strict=True)]) >= 0.9
    assert found[7][0] == 7


def test_rare_answers_are_found_in_far_groups(folder, vectors):
    """One in a hundred has the label, three of which are allowed: few of the groups near the query hold any."""
    hits = QuickIndex.load(folder).search(vectors[:1], 30, Where(labels=frozenset({5})))
    of_label = np.arange(4, COUNT, 100)
    assert set(keys_of(hits)[0]) == set(of_label.tolist())


def test_it_knows_the_version_that_it_was_made_from(folder, store):
    assert QuickIndex.load(folder).version == store.version


def test_making_it_again_replaces_it(store, folder):
    QuickIndex.make(store, folder)
    assert len(QuickIndex.load(folder)) == COUNT
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_damaged_or_missing_index_is_refused(store, tmp_path):
    with pytest.raises(StoreError, match="no index"):
        QuickIndex.load(tmp_path)
    QuickIndex.make(store, tmp_path / "index")
    with (tmp_path / "index" / "vectors.faiss").open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    with pytest.raises(StoreError, match="damaged"):
        QuickIndex.load(tmp_path / "index")


def test_an_empty_store_has_no_index(tmp_path):
    with pytest.raises(StoreError, match="empty"):
        QuickIndex.make(LanceStore.create(str(tmp_path / "gallery"), SPACE), tmp_path / "index")
