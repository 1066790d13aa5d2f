"""Galleries too large to scan, with the bound lowered so that a few thousand photos count as large."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from flowers_core.retrieval import large_index
from flowers_core.retrieval.gallery import INDEX_FILE, PROPOSER_FILE, RECORDS_FILE, Gallery, GalleryError
from flowers_core.retrieval.large_index import index_description

N, C = 4000, 64


def _drawn(seed: int = 0, n: int = N) -> np.ndarray:
    centres = np.random.default_rng(9).normal(size=(60, C))
    rng = np.random.default_rng(seed)
    return np.maximum(centres[rng.integers(0, 60, n)] + rng.normal(size=(n, C)) * 0.4, 0).astype(np.float32)


@pytest.fixture(scope="module")
def large() -> Gallery:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_index, "FLAT_BELOW", 1000)
        splits = np.where(np.arange(N) % 5 == 0, "train", "test")
        return Gallery.build(_drawn(), np.arange(1, N + 1), np.arange(N) % 7 + 1, splits)


@pytest.fixture(scope="module")
def flat() -> Gallery:
    splits = np.where(np.arange(N) % 5 == 0, "train", "test")
    return Gallery.build(_drawn(), np.arange(1, N + 1), np.arange(N) % 7 + 1, splits)


def test_the_index_follows_the_size() -> None:
    assert index_description(8189, 1280) == "SQ8"
    assert index_description(99_999, 1280) == "SQ8"
    assert index_description(100_000, 1280) == "PCAR896,IVF256,RaBitQfs"
    assert index_description(1_000_000, 1280) == "PCAR896,IVF1024,RaBitQfs"
    assert index_description(1_000_000, 512) == "PCAR512,IVF1024,RaBitQfs"


def test_it_finds_what_a_scan_finds(large: Gallery, flat: Gallery) -> None:
    assert large.is_large
    assert not flat.is_large
    found = 0
    for query in _drawn(seed=1, n=100):
        expected, proposed = flat.search(query, 10), large.search(query, 10)
        similar = {neighbour.photo_id: neighbour.similarity for neighbour in expected}
        hits = [neighbour for neighbour in proposed if neighbour.photo_id in similar]
        found += len(hits)
        for neighbour in hits:
            assert neighbour.similarity == pytest.approx(similar[neighbour.photo_id], abs=1e-12)
        assert proposed == sorted(proposed, key=lambda neighbour: (-neighbour.similarity, neighbour.photo_id))
    assert found >= 950


def test_a_filtered_search_is_exact(large: Gallery, flat: Gallery) -> None:
    for query in _drawn(seed=2, n=10):
        for how in ({"splits": {"train"}}, {"labels": {3}}, {"exclude": (5,)}):
            assert large.search(query, 10, **how) == flat.search(query, 10, **how)


def test_more_neighbours_than_are_proposed(large: Gallery, flat: Gallery) -> None:
    query = _drawn(seed=3, n=1)[0]
    assert large.search(query, N) == flat.search(query, N)


def test_it_comes_back_from_its_files(large: Gallery, tmp_path: Path) -> None:
    large.save(tmp_path)
    paths = [tmp_path / name for name in (INDEX_FILE, RECORDS_FILE, PROPOSER_FILE)]
    back = Gallery.load(*paths)
    query = _drawn(seed=4, n=1)[0]
    assert back.is_large
    assert back.search(query, 10) == large.search(query, 10)
    # What it ranks by stays in its file, and can be added to all the same.
    assert not back._index.codes.is_owned
    new = _drawn(seed=6, n=1)
    more = back.extended(new, [90001], [1], ["own"], [hashlib.sha256(b"new").hexdigest()])
    assert more.search(new[0], 1)[0].photo_id == 90001
    assert back.search(query, 10) == large.search(query, 10)
    scanned = Gallery.load(*paths[:2])
    assert not scanned.is_large
    paths[2].write_bytes(paths[2].read_bytes()[:-1] + b"x")
    with pytest.raises(GalleryError, match="damaged"):
        Gallery.load(*paths)
    paths[2].unlink()
    with pytest.raises(GalleryError, match="cannot be read"):
        Gallery.load(*paths)


def test_one_can_add_to_it(large: Gallery) -> None:
    new = _drawn(seed=5, n=3)
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(3)]
    more = large.extended(new, [90001, 90002, 90003], [1, 1, 1], ["own"] * 3, digests)
    assert [more.search(vector, 1)[0].photo_id for vector in new] == [90001, 90002, 90003]
    assert len(large) == N
    assert all(neighbour.photo_id <= N for vector in new for neighbour in large.search(vector, 10))


def test_it_takes_about_a_bit_a_component(large: Gallery, tmp_path: Path) -> None:
    large.write_proposer(tmp_path / "lists")
    tables = 64 * C * 4 + C * C * 4  # centroids and rotation
    padding = 64 * 32  # each list is filled up to blocks of 32
    assert (tmp_path / "lists").stat().st_size - tables < (N + padding) * (C / 8 + 8 + 8)
