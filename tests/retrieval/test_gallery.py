"""The gallery on real FAISS, against NumPy."""

import hashlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import numpy as np
import pytest

from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery, GalleryError
from flowers_core.retrieval.similarity import recall_at_k
from flowers_core.storage.files import write_bytes, write_npz


def _drawn(n: int, dimension: int = 48, seed: int = 0, scale: float = 3.0) -> dict[str, np.ndarray]:
    """Photos in clusters by label, as a classifier's embeddings lie: sparse, not negative, of any length."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, 11, size=n)
    centres = rng.normal(size=(11, dimension))
    embeddings = np.maximum(centres[labels] + rng.normal(size=(n, dimension)) * 0.5, 0).astype(np.float32) * scale
    embeddings[:, 0] += 0.01  # none is zero
    return {
        "embeddings": embeddings,
        "ids": rng.permutation(np.arange(100, 100 + n)),
        "labels": labels,
        "splits": rng.choice(["train", "validation", "test"], size=n),
    }


def _save(gallery: Gallery, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / INDEX_FILE, gallery.index_bytes())
    write_npz(folder / RECORDS_FILE, compressed=True, **gallery.record_arrays())


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
    drawn = _drawn(6)
    digests = [hashlib.sha256(content).hexdigest() for content in (b"a", b"b", b"c", b"a", b"d", b"a")]
    _save(Gallery.build(**drawn, digests=digests), tmp_path)
    gallery = Gallery.load(tmp_path / INDEX_FILE, tmp_path / RECORDS_FILE)
    ids = drawn["ids"]
    assert gallery.ids_of(digests[0]) == tuple(sorted((ids[0], ids[3], ids[5])))
    assert gallery.ids_of(digests[2]) == (ids[2],)
    assert gallery.ids_of("ff" * 32) == ()
    with pytest.raises(GalleryError, match="SHA-256"):
        gallery.ids_of("no digest")
    with pytest.raises(GalleryError, match="5 digests for 6"):
        Gallery.build(**drawn, digests=digests[:5])
    _save(Gallery.build(**drawn), tmp_path)
    without = Gallery.load(tmp_path / INDEX_FILE, tmp_path / RECORDS_FILE)
    assert without.digests is None
    assert without.ids_of(digests[0]) == ()


def test_all_vectors_are_those_of_each_photo() -> None:
    gallery = Gallery.build(**_drawn(1100))
    vectors = gallery.vectors()
    assert vectors.shape == (1100, 48)
    assert vectors.dtype == np.float32
    for row in (0, 1023, 1024, 1099):
        np.testing.assert_array_equal(vectors[row], gallery.vector(int(gallery.ids[row])))


@pytest.mark.parametrize("n", [1, 2, 5, 100, 700])
def test_neighbours_equal_a_numpy_scan(n: int) -> None:
    drawn = _drawn(n)
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
    drawn = _drawn(60)
    for neighbour in Gallery.build(**drawn).search(drawn["embeddings"][3], 60):
        at = int(np.flatnonzero(drawn["ids"] == neighbour.photo_id)[0])
        assert neighbour.label == drawn["labels"][at]
        assert neighbour.split == drawn["splits"][at]
        assert type(neighbour.photo_id) is type(neighbour.label) is int
        assert type(neighbour.split) is str


def test_a_photo_finds_itself_first_at_similarity_one() -> None:
    drawn = _drawn(400)
    gallery = Gallery.build(**drawn)
    for row in range(0, 400, 23):
        first = gallery.search(drawn["embeddings"][row], 1)[0]
        assert first.photo_id == drawn["ids"][row]
        assert 0.999 < first.similarity <= 1


def test_similarity_is_the_cosine_with_the_stored_vector_and_ignores_length() -> None:
    drawn = _drawn(50)
    gallery = Gallery.build(**drawn)
    query = drawn["embeddings"][7]
    unit = query.astype(np.float64) / np.linalg.norm(query.astype(np.float64))
    for neighbour, again in zip(gallery.search(query, 50), gallery.search(query * 1000, 50), strict=True):
        assert neighbour.similarity == pytest.approx(float(unit @ gallery.vector(neighbour.photo_id)), abs=1e-7)
        assert neighbour.similarity == pytest.approx(again.similarity, abs=1e-7)
    assert gallery.search(-query, 50)[-1].similarity < -0.99


def test_stored_vectors_have_norm_one_and_lie_close_to_the_given() -> None:
    drawn = _drawn(300)
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
    drawn = _drawn(200)
    drawn["embeddings"][50:120] = drawn["embeddings"][50]
    gallery = Gallery.build(**drawn)
    found = gallery.search(drawn["embeddings"][50], 40)
    assert [n.photo_id for n in found] == sorted(drawn["ids"][50:120].tolist())[:40]
    assert len({n.similarity for n in found}) == 1


# --- filters


def test_filters_equal_a_numpy_scan() -> None:
    drawn = _drawn(500)
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
    drawn = _drawn(30)
    gallery = Gallery.build(**drawn)
    query = drawn["embeddings"][0]
    assert len(gallery.search(query, 99)) == 30
    assert len(gallery.search(query, 99, exclude=drawn["ids"][:28])) == 2
    assert gallery.search(query, 5, exclude=drawn["ids"]) == []
    assert gallery.search(query, 5, splits=()) == []
    assert gallery.search(query, 5, labels=[77]) == []


def test_questions_without_sense_are_refused() -> None:
    drawn = _drawn(30)
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
    drawn = _drawn(20)
    gallery = Gallery.build(**drawn)
    before = gallery.search(drawn["embeddings"][0], 3)
    query = drawn["embeddings"][0].copy()
    for array in drawn.values():
        array[:] = array[0]
    assert gallery.search(query, 3) == before
    with pytest.raises(ValueError, match="read-only"):
        gallery.labels[0] = 5


def test_one_byte_a_value(tmp_path: Path) -> None:
    _save(Gallery.build(**_drawn(700, dimension=128)), tmp_path)
    assert 700 * 128 <= (tmp_path / INDEX_FILE).stat().st_size <= 700 * 128 + 128 * 8 + 1024


# --- on disk


@pytest.fixture(name="saved")
def _saved(tmp_path: Path) -> Path:
    _save(Gallery.build(**_drawn(80)), tmp_path / "saved")
    return tmp_path / "saved"


def _load(folder: Path) -> Gallery:
    return Gallery.load(folder / INDEX_FILE, folder / RECORDS_FILE)


def test_a_gallery_comes_back_the_same(saved: Path) -> None:
    drawn = _drawn(80)
    built, loaded = Gallery.build(**drawn), _load(saved)
    for name in ("ids", "labels", "splits"):
        assert np.array_equal(getattr(loaded, name), drawn[name])
    for row in range(80):
        assert loaded.search(drawn["embeddings"][row], 9, splits={"test", "train"}) == built.search(
            drawn["embeddings"][row], 9, splits={"test", "train"}
        )
    assert sorted(path.name for path in saved.iterdir()) == [INDEX_FILE, RECORDS_FILE]


def test_plain_faiss_reads_the_index(saved: Path) -> None:
    assert faiss.read_index(str(saved / INDEX_FILE)).ntotal == 80


@pytest.mark.parametrize("name", [INDEX_FILE, RECORDS_FILE])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(GalleryError, match=rf"{name} (is missing|cannot be read).*build_gallery\.py"):
        _load(saved)


@pytest.mark.parametrize("name", [INDEX_FILE, RECORDS_FILE])
def test_damage_anywhere_is_refused(saved: Path, name: str) -> None:
    whole = (saved / name).read_bytes()
    rng = np.random.default_rng(0)
    for length in {0, 1, 3, 40, len(whole) // 2, len(whole) - 1}:
        (saved / name).write_bytes(whole[:length])
        with pytest.raises(GalleryError, match=rf"{name} is (damaged|.*not)"):
            _load(saved)
    for at in [*range(60), *rng.integers(len(whole), size=60)] if name == INDEX_FILE else []:
        (saved / name).write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        with pytest.raises(GalleryError, match="is damaged, or not the index"):
            _load(saved)


def test_index_and_records_of_two_galleries_are_refused(saved: Path, tmp_path: Path) -> None:
    other = Gallery.build(**_drawn(80, seed=9))
    _save(other, tmp_path / "other")
    with pytest.raises(GalleryError, match="not the index that"):
        Gallery.load(saved / INDEX_FILE, tmp_path / "other" / RECORDS_FILE)
    # Writing was killed between the two files: the new index lies beside the old records.
    killed = shutil.copytree(saved, tmp_path / "killed")
    write_bytes(killed / INDEX_FILE, other.index_bytes())
    with pytest.raises(GalleryError, match="not the index that"):
        _load(killed)
    _save(other, killed)
    assert len(_load(killed)) == 80


def _vouched(folder: Path, content: bytes, n: int, **change: np.ndarray) -> None:
    """Write an index of any content with records that vouch for it."""
    (folder / INDEX_FILE).write_bytes(content)
    records = {"ids": np.arange(n), "labels": np.ones(n, int), "splits": np.full(n, "train")} | change
    np.savez(folder / RECORDS_FILE, **records, index_sha256=hashlib.sha256(content).hexdigest())


def test_an_index_of_another_kind_is_refused(saved: Path) -> None:
    flat = faiss.IndexFlatIP(4)
    flat.add(np.eye(4, dtype=np.float32))
    _vouched(saved, faiss.serialize_index(flat).tobytes(), 4)
    with pytest.raises(GalleryError, match="FAISS index of another kind"):
        _load(saved)
    squared = faiss.IndexScalarQuantizer(4, faiss.ScalarQuantizer.QT_8bit)  # by distance, not inner product
    squared.train(np.eye(4, dtype=np.float32))
    squared.add(np.eye(4, dtype=np.float32))
    _vouched(saved, faiss.serialize_index(squared).tobytes(), 4)
    with pytest.raises(GalleryError, match="FAISS index of another kind"):
        _load(saved)
    _vouched(saved, b"no index at all", 4)
    with pytest.raises(GalleryError, match="no FAISS index"):
        _load(saved)


def test_records_that_do_not_fit_the_index_are_refused(saved: Path) -> None:
    content = (saved / INDEX_FILE).read_bytes()
    _vouched(saved, content, 80)
    assert len(_load(saved)) == 80
    _vouched(saved, content, 79)
    with pytest.raises(GalleryError, match="does not describe the 80 vectors"):
        _load(saved)
    _vouched(saved, content, 80, labels=np.ones(3, int))
    with pytest.raises(GalleryError, match="does not describe the 80 vectors"):
        _load(saved)
    _vouched(saved, content, 80, ids=np.full(80, "photo"))
    with pytest.raises(GalleryError, match="does not describe a gallery"):
        _load(saved)
    np.savez(saved / RECORDS_FILE, ids=np.arange(80))
    with pytest.raises(GalleryError, match="does not describe a gallery"):
        _load(saved)


def test_pickled_records_are_refused(saved: Path) -> None:
    np.savez(saved / RECORDS_FILE, ids=np.array([{}], dtype=object))
    with pytest.raises(GalleryError, match="damaged"):
        _load(saved)


# --- threads


def test_eight_threads_find_what_one_finds() -> None:
    drawn = _drawn(700)
    gallery = Gallery.build(**drawn)

    def ask(row: int) -> list:
        labels = None if row % 3 else {1, 2, 3}
        return gallery.search(drawn["embeddings"][row], 7, labels=labels, exclude=[int(drawn["ids"][row])])

    expected = [ask(row) for row in range(700)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(700))) == expected


def test_a_search_leaves_the_number_of_openmp_threads_alone() -> None:
    drawn = _drawn(50)
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


# --- recall


@pytest.mark.parametrize("k", [1, 5])
def test_recall_equals_a_count_by_hand(k: int) -> None:
    drawn = _drawn(150, dimension=16)
    # Photos much alike beside some that stretch every dimension's range: one byte serves them badly.
    drawn["embeddings"] += 5
    drawn["embeddings"][:16] = np.eye(16)
    gallery = Gallery.build(**drawn)
    unit = drawn["embeddings"] / np.linalg.norm(drawn["embeddings"], axis=1, keepdims=True)
    cosines = unit.astype(np.float64) @ unit.T.astype(np.float64)
    np.fill_diagonal(cosines, -2)
    hits = 0
    for row in range(150):
        found = gallery.search(drawn["embeddings"][row], k, exclude=[drawn["ids"][row]])
        best = set(drawn["ids"][np.argsort(-cosines[row])[:k]].tolist())
        hits += len(best & {n.photo_id for n in found})
    assert 0.3 < hits / (150 * k) < 0.98
    assert recall_at_k(gallery, drawn["embeddings"], k) == pytest.approx(hits / (150 * k))


def test_recall_is_high_on_clustered_embeddings_and_low_on_foreign_ones() -> None:
    drawn = _drawn(600, dimension=256)
    gallery = Gallery.build(**drawn)
    assert recall_at_k(gallery, drawn["embeddings"], 10) > 0.97
    shuffled = np.random.default_rng(0).permutation(drawn["embeddings"])
    assert recall_at_k(gallery, shuffled, 10) < 0.2


def test_recall_of_equals_is_whole() -> None:
    embeddings = np.repeat(np.eye(4, dtype=np.float32) + 0.1, 5, axis=0)
    gallery = Gallery.build(embeddings, np.arange(20), np.ones(20), ["train"] * 20)
    assert recall_at_k(gallery, embeddings, 2) == 1


def test_recall_needs_the_embeddings_of_the_gallery() -> None:
    drawn = _drawn(20)
    gallery = Gallery.build(**drawn)
    for embeddings, k in ((drawn["embeddings"][:19], 3), (drawn["embeddings"], 20), (drawn["embeddings"], 0)):
        with pytest.raises(GalleryError, match="Recall needs"):
            recall_at_k(gallery, embeddings, k)
