import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowers_core.retrieval.gallery import Gallery, GalleryError
from flowers_core.retrieval.user_photos import FIRST_ID, OWN_SPLIT, OwnPhotosError, load_own


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
    own = load_own(path, "m")
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
    own = load_own(tmp_path / "own.npz", "m")
    both = own.beside(gallery)
    assert (len(gallery), len(both)) == (60, 65)
    for row, vector in enumerate(vectors):
        nearest = both.search(vector, 1)[0]
        assert (nearest.photo_id, nearest.split) == (FIRST_ID + row, OWN_SPLIT)
        assert nearest.similarity > 0.999
    assert both.search(vectors[0], 1)[0].label == 74
    assert both.search(vectors[1], 1)[0].label == 0
    assert all(found.split == "train" for found in both.search(vectors[0], 10, splits={"train"}))
    assert both.ids_of(_digest(101)) == (FIRST_ID + 1,)
    assert both.ids_of(_digest(7)) == gallery.ids_of(_digest(7)) == (8,)
    assert own.path_of(FIRST_ID + 1) == (first / "b.jpg").resolve()
    assert own.path_of(5) is None
    # What was there answers as before.
    for query in _vectors(5, 2):
        assert both.search(query, 20, splits={"train"}) == gallery.search(query, 20)


def test_removed_and_added_again(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    vectors, first, _ = _two_folders(path)
    own = load_own(path, "m")
    fewer = own.without_folder(first)
    assert fewer.ids.tolist() == [FIRST_ID + 2, FIRST_ID + 3, FIRST_ID + 4]
    assert [found.photo_id for found in fewer.beside(gallery).search(vectors[3], 1)] == [FIRST_ID + 3]
    again = fewer.with_added([first / "b.jpg"], [None], [_digest(101)], vectors[1:2])
    assert again.ids.tolist() == [FIRST_ID + 2, FIRST_ID + 3, FIRST_ID + 4, FIRST_ID + 5]
    same = again.with_added([first / "c.jpg"], [None], [_digest(101)], vectors[1:2])
    assert same is again
    none = own.without_folder(tmp_path)
    assert len(none) == 0
    assert none.beside(gallery) is gallery
    none.save(path)
    assert load_own(path, "m").with_added([first / "b.jpg"], [None], [_digest(1)], vectors[:1]).ids.tolist() == [
        FIRST_ID + 5
    ]


def test_files_that_cannot_be_used(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    _two_folders(path)
    with pytest.raises(OwnPhotosError, match="another version of the model"):
        load_own(path, "n")
    with pytest.raises(GalleryError, match="another model"):
        load_own(tmp_path / "none.npz", "m").with_added([path], [1], [_digest(1)], np.ones((1, 7))).beside(gallery)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(OwnPhotosError, match="damaged"):
        load_own(path, "m")


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    program = """
import sys, numpy as np
from pathlib import Path
from flowers_core.retrieval.user_photos import load_own
path, number = Path(sys.argv[1]), 0
own = load_own(path, "m")
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
        own = load_own(path, "m")
        seen.add(len(own))
        for vector, digest in zip(own.embeddings, own.digests, strict=True):
            assert (vector == int(digest, 16)).all()
    assert max(seen) > 0
