import numpy as np
import pytest

from flowers_core.data.audit.near_duplicates import duplicate_groups
from flowers_core.retrieval.stores.duplicates import duplicate_rows, find_duplicates, write_duplicates
from flowers_core.retrieval.stores.lance_store import LanceStore
from flowers_core.retrieval.stores.quick_index import QuickIndex
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.retrieval.stores.store import StoreError
from tests.fixtures.store_entries import store_entries

COUNT, DIMENSION = 3000, 32


@pytest.fixture(scope="module")
def gallery() -> tuple[np.ndarray, np.ndarray]:
    """Photos that have nothing to do with one another; every tenth but one is like the one before it.

    Their hashes differ in 0 to 15 bits, their cosine is 0.7 to 1.
    """
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((COUNT, DIMENSION))
    hashes = rng.integers(0, 2**64, COUNT, np.uint64)
    for at in range(10, COUNT, 10):
        vectors[at + 1] = vectors[at] + rng.uniform(0, 1) * rng.standard_normal(DIMENSION)
        bits = rng.choice(64, at // 10 % 16, replace=False)
        hashes[at + 1] = hashes[at] ^ np.bitwise_or.reduce(np.uint64(1) << bits.astype(np.uint64), initial=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), hashes


@pytest.fixture(scope="module")
def store(gallery, tmp_path_factory) -> LanceStore:
    vectors, hashes = gallery
    store = LanceStore.create(str(tmp_path_factory.mktemp("gallery")), EmbeddingSpace("model", DIMENSION))
    store.add(store_entries(vectors, [str(at) for at in range(COUNT)], hash=hashes))
    return store


@pytest.fixture(scope="module")
def index(store, tmp_path_factory) -> QuickIndex:
    return QuickIndex.make(store, tmp_path_factory.mktemp("beside") / "index")


@pytest.mark.parametrize("max_distance", [0, 5, 12])
def test_they_are_the_pairs_that_comparing_all_with_all_finds(gallery, index, max_distance):
    vectors, hashes = gallery
    order = np.array([int(key) for key in index.keys])
    cosines = vectors @ vectors.T
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None])
    first, second = np.nonzero(np.triu((bits <= max_distance) & (cosines >= 0.85), 1))
    right = set(zip(first.tolist(), second.tolist(), strict=True))
    found = find_duplicates(index, max_distance=max_distance)
    assert {tuple(sorted((order[pair.first], order[pair.second]))) for pair in found} == right
    assert right
    assert [pair.distance for pair in found] == sorted(pair.distance for pair in found)
    for pair in found[::20]:
        a, b = order[pair.first], order[pair.second]
        assert pair.distance == bits[a, b]
        assert pair.cosine == pytest.approx(cosines[a, b], abs=0.01)


def test_hashes_alone_do_not_make_a_pair(index):
    assert find_duplicates(index, min_cosine=1.01) == []


def test_pairs_make_groups_and_progress_is_told(index):
    told: list[tuple[int, int]] = []
    pairs = find_duplicates(index, progress=lambda done, of: told.append((done, of)))
    assert told == [(COUNT, COUNT)]
    assert all(len(group) == 2 for group in duplicate_groups(pairs))


def test_as_lines_of_a_table_they_have_paths(index, store):
    (first, second, distance, cosine), *_ = duplicate_rows(index, store, find_duplicates(index, max_distance=0))
    numbers = sorted(int(path.removeprefix("photos/").removesuffix(".jpg")) for path in (first, second))
    assert numbers[1] == numbers[0] + 1
    assert distance == 0
    assert 0.85 <= cosine <= 1


def test_a_table_of_them_is_written(store, tmp_path):
    count = write_duplicates(store.place, tmp_path / "pairs.csv")
    lines = (tmp_path / "pairs.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "first,second,bits of 64 that differ,cosine"
    assert len(lines) == count + 1 > 100


def test_an_empty_gallery_has_none(tmp_path):
    LanceStore.create(str(tmp_path / "gallery"), EmbeddingSpace("model", DIMENSION))
    with pytest.raises(StoreError, match="with photos in them"):
        write_duplicates(str(tmp_path / "gallery"), tmp_path / "pairs.csv")
