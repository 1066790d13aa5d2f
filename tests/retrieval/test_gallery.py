"""The gallery on real FAISS, against NumPy."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import numpy as np
import pytest

from flowers_core.data.photo_ref import oxford, photos_of_dataset
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery, GalleryError
from flowers_core.retrieval.user_photos import ExtendedGallery
from tests.fixtures.galleries import drawn_photos, save_gallery


def _brute_force(gallery: Gallery, embedding: np.ndarray, keep: np.ndarray) -> list[tuple[int, float]]:
    """All kept photos by the cosine with the vectors that FAISS decodes, equals by id."""
    stored = gallery._index.reconstruct_n(0, len(gallery)).astype(np.float64)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    query = embedding.astype(np.float64)
    cosines = (stored * (query / np.linalg.norm(query))).sum(axis=1)
    order = np.lexsort((gallery.ids, -cosines))
    return [(int(gallery.ids[at]), float(cosines[at])) for at in order if keep[at]]


def _assert_equal_to_brute_force(
    gallery: Gallery, embedding: np.ndarray, k: int, keep: np.ndarray, **how: object
) -> None:
    found = gallery.search(embedding, k, **how)
    expected = _brute_force(gallery, embedding, keep)[:k]
    assert [n.photo_id for n in found] == [photo_id for photo_id, _ in expected]
    assert [n.similarity for n in found] == pytest.approx([cosine for _, cosine in expected], abs=1e-14)


# --- neighbours


def test_a_photo_and_its_twins_are_known_by_their_bytes(tmp_path: Path) -> None:
    drawn = drawn_photos(6)
    digests = [hashlib.sha256(content).hexdigest() for content in (b"a", b"b", b"c", b"a", b"d", b"a")]
    save_gallery(Gallery.build(**drawn, digests=digests), tmp_path)
    gallery = Gallery.load(tmp_path / INDEX_FILE, tmp_path / RECORDS_FILE)
    ids = drawn["ids"]
    assert gallery.ids_of(digests[0]) == tuple(sorted((ids[0], ids[3], ids[5])))
    assert gallery.ids_of(digests[2]) == (ids[2],)
    assert gallery.ids_of("ff" * 32) == ()
    with pytest.raises(GalleryError, match="SHA-256"):
        gallery.ids_of("no digest")
    with pytest.raises(GalleryError, match="5 digests for 6"):
        Gallery.build(**drawn, digests=digests[:5])
    save_gallery(Gallery.build(**drawn), tmp_path)
    without = Gallery.load(tmp_path / INDEX_FILE, tmp_path / RECORDS_FILE)
    assert without.digests is None
    assert without.ids_of(digests[0]) == ()


def test_all_vectors_are_those_of_each_photo() -> None:
    gallery = Gallery.build(**drawn_photos(1100))
    vectors = gallery.vectors()
    assert vectors.shape == (1100, 48)
    assert vectors.dtype == np.float32
    for row in (0, 1023, 1024, 1099):
        np.testing.assert_array_equal(vectors[row], gallery.vector(int(gallery.ids[row])))


@pytest.mark.parametrize("n", [1, 2, 5, 100, 700])
def test_neighbours_equal_a_numpy_scan(n: int) -> None:
    drawn = drawn_photos(n)
    gallery = Gallery.build(**drawn)
    rng = np.random.default_rng(1)
    for _ in range(20):
        query = rng.normal(size=48).astype(np.float32) * 10
        _assert_equal_to_brute_force(gallery, query, int(rng.integers(1, n + 3)), np.ones(n, dtype=bool))
    for row in range(min(n, 20)):
        _assert_equal_to_brute_force(gallery, drawn["embeddings"][row], 5, np.ones(n, dtype=bool))


def test_the_scan_is_exact_where_norms_differ_by_compression() -> None:
    # Photos all but equal, among others that stretch the range of every dimension: the rounding of their norms then
    # outweighs what tells them apart, and the order of inner products is another than that of cosines.
    rng = np.random.default_rng(2)
    alike = 1 + rng.random((400, 64)) * 0.03
    embeddings = np.concatenate([alike, np.eye(64), 1 - np.eye(64)]).astype(np.float32)
    n = len(embeddings)
    gallery = Gallery.build(embeddings, np.arange(n), np.ones(n), ["train"] * n)
    hidden = 0
    for row in range(40):
        for k in (1, 10):
            _assert_equal_to_brute_force(gallery, embeddings[row], k, np.ones(n, dtype=bool))
        _, proposed = gallery._index.search(embeddings[row : row + 1], 18)
        hidden += gallery.search(embeddings[row], 1)[0].photo_id not in proposed
    assert hidden > 10  # the best by cosine is often not among FAISS' first 18


def test_neighbours_carry_label_and_split() -> None:
    drawn = drawn_photos(60)
    for neighbour in Gallery.build(**drawn).search(drawn["embeddings"][3], 60):
        at = int(np.flatnonzero(drawn["ids"] == neighbour.photo_id)[0])
        assert neighbour.label == drawn["labels"][at]
        assert neighbour.split == drawn["splits"][at]
        assert type(neighbour.photo_id) is type(neighbour.label) is int
        assert type(neighbour.split) is str


def test_a_photo_finds_itself_first_at_similarity_one() -> None:
    drawn = drawn_photos(400)
    gallery = Gallery.build(**drawn)
    for row in range(0, 400, 23):
        first = gallery.search(drawn["embeddings"][row], 1)[0]
        assert first.photo_id == drawn["ids"][row]
        assert 0.999 < first.similarity <= 1


def test_similarity_is_the_cosine_with_the_stored_vector_and_ignores_length() -> None:
    drawn = drawn_photos(50)
    gallery = Gallery.build(**drawn)
    query = drawn["embeddings"][7]
    unit = query.astype(np.float64) / np.linalg.norm(query.astype(np.float64))
    for neighbour, again in zip(gallery.search(query, 50), gallery.search(query * 1000, 50), strict=True):
        assert neighbour.similarity == pytest.approx(float(unit @ gallery.vector(neighbour.photo_id)), abs=1e-7)
        assert neighbour.similarity == pytest.approx(again.similarity, abs=1e-7)
    assert gallery.search(-query, 50)[-1].similarity < -0.99


def test_stored_vectors_have_norm_one_and_lie_close_to_the_given() -> None:
    drawn = drawn_photos(300)
    gallery = Gallery.build(**drawn)
    for photo_id, embedding in zip(drawn["ids"], drawn["embeddings"], strict=True):
        vector = gallery.vector(int(photo_id))
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
        assert vector @ (embedding / np.linalg.norm(embedding)) > 0.9995
    with pytest.raises(GalleryError, match=r"Photo 7 is not in the gallery\."):
        gallery.vector(7)
    assert int(drawn["ids"][0]) in gallery
    assert 7 not in gallery
    assert (len(gallery), gallery.dimension) == (300, 48)


def test_byte_identical_photos_are_equals_ordered_by_id() -> None:
    drawn = drawn_photos(200)
    drawn["embeddings"][50:120] = drawn["embeddings"][50]
    gallery = Gallery.build(**drawn)
    found = gallery.search(drawn["embeddings"][50], 40)
    assert [n.photo_id for n in found] == sorted(drawn["ids"][50:120].tolist())[:40]
    assert len({n.similarity for n in found}) == 1


# --- filters


def test_filters_equal_a_numpy_scan() -> None:
    drawn = drawn_photos(500)
    gallery = Gallery.build(**drawn)
    rng = np.random.default_rng(4)
    for _ in range(60):
        splits = (
            None if rng.random() < 0.3 else set(rng.choice(["train", "validation", "test", "x"], rng.integers(0, 3)))
        )
        labels = None if rng.random() < 0.3 else set(rng.integers(1, 12, size=rng.integers(0, 5)).tolist())
        exclude = set(rng.integers(90, 610, size=rng.choice([0, 1, 200])).tolist())
        keep = np.array(
            [
                (splits is None or split in splits) and (labels is None or label in labels) and i not in exclude
                for i, label, split in zip(drawn["ids"], drawn["labels"], drawn["splits"], strict=True)
            ]
        )
        query = drawn["embeddings"][rng.integers(500)]
        _assert_equal_to_brute_force(
            gallery, query, int(rng.choice([1, 5, 600])), keep, splits=splits, labels=labels, exclude=exclude
        )


def test_fewer_come_when_fewer_are_left() -> None:
    drawn = drawn_photos(30)
    gallery = Gallery.build(**drawn)
    query = drawn["embeddings"][0]
    assert len(gallery.search(query, 99)) == 30
    assert len(gallery.search(query, 99, exclude=drawn["ids"][:28])) == 2
    assert gallery.search(query, 5, exclude=drawn["ids"]) == []
    assert gallery.search(query, 5, splits=()) == []
    assert gallery.search(query, 5, labels=[77]) == []


def test_questions_without_sense_are_refused() -> None:
    drawn = drawn_photos(30)
    gallery = Gallery.build(**drawn)
    query = drawn["embeddings"][0]
    with pytest.raises(ValueError, match="at least one neighbour"):
        gallery.search(query, 0)
    with pytest.raises(TypeError, match="not one string"):
        gallery.search(query, 1, splits="train")
    with pytest.raises(GalleryError, match=r"embeddings of 48 values.*another model"):
        gallery.search(query[:47], 1)
    with pytest.raises(GalleryError, match="zero"):
        gallery.search(np.zeros(48), 1)
    with pytest.raises(GalleryError, match="finite"):
        gallery.search(np.full(48, np.nan), 1)


# --- building


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ids": [1, 1, 2]}, "same id"),
        ({"ids": [1, 2]}, "one embedding, id, label and split"),
        ({"splits": ["train"] * 4}, "one embedding, id, label and split"),
        ({"embeddings": np.zeros((3, 4))}, "zero"),
        ({"embeddings": np.full((3, 4), np.inf)}, "finite"),
        ({"embeddings": np.ones(3)}, "one embedding, id, label and split"),
        ({"embeddings": np.ones((0, 4)), "ids": [], "labels": [], "splits": []}, "one embedding"),
    ],
)
def test_arrays_that_make_no_gallery_are_refused(change: dict, reason: str) -> None:
    good = {"embeddings": np.ones((3, 4)), "ids": [1, 2, 3], "labels": [1, 1, 2], "splits": ["train"] * 3}
    assert len(Gallery.build(**good)) == 3
    with pytest.raises(GalleryError, match=reason):
        Gallery.build(**{**good, **change})


def test_a_gallery_keeps_nothing_of_the_callers_arrays() -> None:
    drawn = drawn_photos(20)
    gallery = Gallery.build(**drawn)
    before = gallery.search(drawn["embeddings"][0], 3)
    query = drawn["embeddings"][0].copy()
    for array in drawn.values():
        array[:] = array[0]
    assert gallery.search(query, 3) == before
    with pytest.raises(ValueError, match="read-only"):
        gallery.labels[0] = 5


def test_one_byte_a_value(tmp_path: Path) -> None:
    save_gallery(Gallery.build(**drawn_photos(700, dimension=128)), tmp_path)
    assert 700 * 128 <= (tmp_path / INDEX_FILE).stat().st_size <= 700 * 128 + 128 * 8 + 1024


# --- threads


def test_eight_threads_find_what_one_finds() -> None:
    drawn = drawn_photos(700)
    gallery = Gallery.build(**drawn)

    def ask(row: int) -> list:
        labels = None if row % 3 else {1, 2, 3}
        return gallery.search(drawn["embeddings"][row], 7, labels=labels, exclude=[int(drawn["ids"][row])])

    expected = [ask(row) for row in range(700)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(700))) == expected


def test_a_search_leaves_the_number_of_openmp_threads_alone() -> None:
    drawn = drawn_photos(50)
    gallery = Gallery.build(**drawn)
    inside: list[int] = []
    before = faiss.omp_get_max_threads()

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(index, name)

        def search(self, *arguments: object, **named: object) -> object:
            inside.append(faiss.omp_get_max_threads())
            other = threading.Thread(target=lambda: inside.append(faiss.omp_get_max_threads()))
            other.start()
            other.join()
            return index.search(*arguments, **named)

    index, gallery._index = gallery._index, Watched()
    faiss.omp_set_num_threads(3)
    try:
        gallery.search(drawn["embeddings"][0], 3)
        after = faiss.omp_get_max_threads()
    finally:
        faiss.omp_set_num_threads(before)
    assert inside == [1, before]
    assert after == 3


def test_neighbours_are_photos_of_the_data_set_that_the_gallery_is_of(tmp_path: Path) -> None:
    drawn = drawn_photos(6)
    save_gallery(Gallery.build(**drawn), tmp_path)
    photo_set = photos_of_dataset("1a2b3c4d5e6f7081")
    own = Gallery.load(tmp_path / INDEX_FILE, tmp_path / RECORDS_FILE, photo_set)
    nearest = own.search(drawn["embeddings"][2], 1)[0]
    assert nearest.photo.address == f"dataset:1a2b3c4d5e6f:{drawn['ids'][2]}"
    both = ExtendedGallery(own, "seer")
    np.testing.assert_array_equal(both.vector(nearest.photo), own.vector(nearest.photo_id))
    with pytest.raises(GalleryError, match="is not in the gallery"):
        both.vector(oxford(nearest.photo_id))
    same_number = both.search(drawn["embeddings"][2], 1, exclude={oxford(nearest.photo_id)})
    assert same_number == [nearest] != both.search(drawn["embeddings"][2], 1, exclude={nearest.photo})
