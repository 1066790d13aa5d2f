import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.photo_ref import PhotoRef, oxford
from flowers_core.retrieval.gallery import Gallery, GalleryError
from flowers_core.retrieval.user_photos import USER_SPLIT, ExtendedGallery, UserPhotosError, load_user_photos


def _digest(number: int) -> str:
    return hashlib.sha256(bytes([number])).hexdigest()


def _vectors(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 24)).astype(np.float32) + 0.01


@pytest.fixture
def gallery() -> Gallery:
    return Gallery.build(
        _vectors(60, 0), np.arange(1, 61), np.repeat([3, 4], 30), ["train"] * 60, [_digest(n) for n in range(60)]
    )


def _two_folders(path: Path) -> tuple[np.ndarray, Path, Path]:
    vectors = _vectors(5, 1)
    own = load_user_photos(path, "m")
    first, second = path.parent / "one", path.parent / "two"
    own = own.with_added(
        [first / "rose" / "a.jpg", first / "b.jpg"], [74, None], [_digest(100), _digest(101)], vectors[:2]
    )
    own = own.with_added(
        [second / f"{n}.jpg" for n in range(3)], [5] * 3, [_digest(102 + n) for n in range(3)], vectors[2:]
    )
    own.save(path)
    return vectors, first, second


def test_they_are_found_beside_the_gallerys_own(gallery: Gallery, tmp_path: Path) -> None:
    vectors, first, _ = _two_folders(tmp_path / "own.npz")
    own = load_user_photos(tmp_path / "own.npz", "m")
    both = ExtendedGallery(gallery, "seer", own)
    refs = [PhotoRef("user", number, "seer") for number in range(1, 6)]
    for ref, vector in zip(refs, vectors, strict=True):
        nearest = both.search(vector, 1)[0]
        assert (nearest.photo, nearest.split) == (ref, USER_SPLIT)
        assert nearest.similarity == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(both.vector(ref), vector / np.linalg.norm(vector), rtol=1e-6)
    assert both.search(vectors[0], 1)[0].label == own.label_of(1) == 74
    assert both.search(vectors[1], 1)[0].label == own.label_of(2) == own.label_of(99) == 0
    assert all(found.split == "train" for found in both.search(vectors[0], 10, splits={"train"}))
    assert [found.photo for found in both.search(vectors[0], 10, splits={USER_SPLIT}, labels={5})] == sorted(
        refs[2:], key=lambda ref: -float(both.vector(ref) @ both.vector(refs[0]))
    )
    # Number 1 is a photo of the data set, too: only the one that is meant is left out.
    assert refs[0] not in [found.photo for found in both.search(vectors[0], 65, exclude={refs[0]})]
    assert oxford(1) in [found.photo for found in both.search(vectors[0], 65, exclude={refs[0]})]
    assert len(both.search(vectors[0], 99, exclude={refs[0], oxford(1)})) == 63
    assert both.photos_of(_digest(101)) == (refs[1],)
    assert both.photos_of(_digest(7)) == (oxford(8),)
    assert own.path_of(2) == (first / "b.jpg").resolve()
    assert own.path_of(50) is None
    np.testing.assert_array_equal(both.vector(oxford(8)), gallery.vector(8))
    with pytest.raises(GalleryError, match="Photo user:seer:50 is not"):
        both.vector(PhotoRef("user", 50, "seer"))
    # The data set's photos answer as before.
    for query in _vectors(5, 2):
        assert both.search(query, 20, splits={"train"}) == gallery.search(query, 20)


def test_a_photo_that_moved_keeps_its_id_and_gets_its_new_class(tmp_path: Path) -> None:
    _, first, second = _two_folders(tmp_path / "own.npz")
    own = load_user_photos(tmp_path / "own.npz", "m")
    moved = own.with_moved(
        [
            (first / "iris" / "a.jpg", 15, _digest(100)),
            (second / "0.jpg", 5, _digest(102)),
            (second, None, _digest(104)),
        ]
    )
    assert moved.ids.tolist() == own.ids.tolist()
    assert (moved.path_of(1), moved.label_of(1)) == (first / "iris" / "a.jpg", 15)
    assert (moved.path_of(3), moved.label_of(3)) == (own.path_of(3), 5)
    assert moved.label_of(5) == 0
    np.testing.assert_array_equal(moved.embeddings, own.embeddings)
    assert own.with_moved([(second / "0.jpg", 5, _digest(102))]) is own


def test_links_can_be_taken_out_again(tmp_path: Path) -> None:
    real, links = tmp_path / "real", tmp_path / "links"
    for folder in (real / "rose", links):
        folder.mkdir(parents=True)
    (real / "rose" / "a.jpg").write_bytes(b"x")
    (links / "x.jpg").symlink_to(real / "rose" / "a.jpg")
    (links / "rose").symlink_to(real / "rose")
    (tmp_path / "by another name").symlink_to(links)
    own = load_user_photos(tmp_path / "own.npz", "m")
    own = own.with_added(
        [links / "x.jpg", links / "rose" / "a.jpg"], [74, 74], [_digest(1), _digest(2)], _vectors(2, 3)
    )
    assert own.path_of(1) == links / "x.jpg"
    assert len(own.without_folder(links)) == 0
    assert len(own.without_folder(tmp_path / "by another name")) == 0
    assert len(own.without_folder(tmp_path / "links" / ".." / "links")) == 0
    assert own.without_folder(real).ids.tolist() == [1]  # the other lies there by its folder
    assert len(own.without_folder(tmp_path / "elsewhere")) == 2


def test_both_are_ranked_as_one_list(gallery: Gallery, tmp_path: Path) -> None:
    _two_folders(tmp_path / "own.npz")
    both = ExtendedGallery(gallery, "seer", load_user_photos(tmp_path / "own.npz", "m"))
    everything = [oxford(number) for number in range(1, 61)] + [PhotoRef("user", n, "seer") for n in range(1, 6)]
    for query in _vectors(4, 3):
        cosines = {ref: float(both.vector(ref) @ query / np.linalg.norm(query)) for ref in everything}
        expected = sorted(everything, key=lambda ref: -cosines[ref])[:12]
        found = both.search(query, 12)
        assert [neighbour.photo for neighbour in found] == expected
        assert [neighbour.similarity for neighbour in found] == pytest.approx([cosines[r] for r in expected], abs=1e-6)


def test_a_file_of_an_earlier_version_keeps_its_ids(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    vectors, _, _ = _two_folders(path)
    with np.load(path, allow_pickle=False) as kept:
        arrays = dict(kept)
    arrays["ids"] = arrays["ids"] + 1_000_000
    arrays["next_id"] = np.array(1_000_006)
    np.savez(path, **arrays)
    own = load_user_photos(path, "m")
    assert own.with_added([path], [1], [_digest(9)], vectors[:1]).ids[-1] == 1_000_006
    nearest = ExtendedGallery(gallery, "seer", own).search(vectors[3], 1)[0]
    assert nearest.photo == PhotoRef("user", 1_000_004, "seer")


def test_removed_and_added_again(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    vectors, first, _ = _two_folders(path)
    own = load_user_photos(path, "m")
    fewer = own.without_folder(first)
    assert fewer.ids.tolist() == [3, 4, 5]
    assert [found.photo_id for found in ExtendedGallery(gallery, "seer", fewer).search(vectors[3], 1)] == [4]
    again = fewer.with_added([first / "b.jpg"], [None], [_digest(101)], vectors[1:2])
    assert again.ids.tolist() == [3, 4, 5, 6]
    same = again.with_added([first / "c.jpg"], [None], [_digest(101)], vectors[1:2])
    assert same is again
    none = own.without_folder(tmp_path)
    assert len(none) == 0
    assert ExtendedGallery(gallery, "seer", none).user is None
    assert ExtendedGallery(gallery, "seer", none).search(vectors[0], 5) == gallery.search(vectors[0], 5)
    none.save(path)
    assert load_user_photos(path, "m").with_added(
        [first / "b.jpg"], [None], [_digest(1)], vectors[:1]
    ).ids.tolist() == [6]


def test_files_that_cannot_be_used(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    _two_folders(path)
    with pytest.raises(UserPhotosError, match="another version of the model"):
        load_user_photos(path, "n")
    with pytest.raises(GalleryError, match="another model"):
        ExtendedGallery(
            gallery,
            "seer",
            load_user_photos(tmp_path / "none.npz", "m").with_added([path], [1], [_digest(1)], np.ones((1, 7))),
        )
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserPhotosError, match="damaged"):
        load_user_photos(path, "m")


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    program = """
import sys, numpy as np
from pathlib import Path
from flowers_core.retrieval.user_photos import load_user_photos
path, number = Path(sys.argv[1]), 0
own = load_user_photos(path, "m")
print("begun", flush=True)
while True:
    number += 1
    vector = np.full((1, 4000), number, np.float32)
    own = own.with_added([Path(f"/p/{number}.jpg")], [None], [f"{number:064x}"], vector)
    own.save(path)
    own = own.without_folder(Path("/q")) if number % 50 else own.without_folder(Path("/p"))
"""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(4):
        path.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(timeout=float(rng.uniform(0.05, 0.5)))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        process.stdout.close()
        own = load_user_photos(path, "m")
        seen.add(len(own))
        for vector, digest in zip(own.embeddings, own.digests, strict=True):
            assert (vector == int(digest, 16)).all()
    assert max(seen) > 0
