"""The files of a gallery: they come back the same, and whatever is wrong with them is refused."""

import hashlib
import shutil
from pathlib import Path

import faiss
import numpy as np
import pytest

from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery, GalleryError
from flowers_core.storage.files import write_bytes
from tests.fixtures.galleries import drawn_photos, save_gallery


@pytest.fixture(name="saved")
def _saved(tmp_path: Path) -> Path:
    save_gallery(Gallery.build(**drawn_photos(80)), tmp_path / "saved")
    return tmp_path / "saved"


def _load(folder: Path) -> Gallery:
    return Gallery.load(folder / INDEX_FILE, folder / RECORDS_FILE)


def test_a_gallery_comes_back_the_same(saved: Path) -> None:
    drawn = drawn_photos(80)
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
    with pytest.raises(GalleryError, match=rf"{name} (is missing|cannot be read).*`flowers build_gallery`"):
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
    other = Gallery.build(**drawn_photos(80, seed=9))
    save_gallery(other, tmp_path / "other")
    with pytest.raises(GalleryError, match="not the index that"):
        Gallery.load(saved / INDEX_FILE, tmp_path / "other" / RECORDS_FILE)
    # Writing was killed between the two files: the new index lies beside the old records.
    killed = shutil.copytree(saved, tmp_path / "killed")
    write_bytes(killed / INDEX_FILE, other.index_bytes())
    with pytest.raises(GalleryError, match="not the index that"):
        _load(killed)
    save_gallery(other, killed)
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
