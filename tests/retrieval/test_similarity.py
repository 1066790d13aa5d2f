from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from flowers_core.retrieval.gallery import Gallery, GalleryError
from flowers_core.retrieval.similarity import (
    ClassSimilarity,
    SimilarityError,
    fit_class_similarity,
    load_class_similarity,
    recall_at_k,
)
from flowers_core.storage.files import write_npz
from tests.fixtures.galleries import drawn_photos


def _drawn(per_class: int = 9) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat([3, 7, 50], [per_class, per_class, 4])
    vectors = np.eye(60)[labels, :20] + np.eye(20)[labels % 20] + rng.random((len(labels), 20))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_the_share_is_that_of_pairs_counted_one_by_one() -> None:
    vectors, labels = _drawn(40)
    likeness = fit_class_similarity(vectors, labels)
    assert likeness.labels.tolist() == [3, 7]  # four photos have six pairs, too few
    assert likeness.pairs.tolist() == [780, 780]
    cosines = np.array([float(a @ b) for a, b in combinations(vectors[labels == 7], 2)])
    for similarity in (cosines.min() + 0.01, 0.8, float(np.median(cosines)), 0.95 * cosines.max()):
        assert likeness.level_of(7, similarity) == pytest.approx((cosines < similarity).mean(), abs=0.011)
    assert likeness.level_of(7, -1.0) == 0
    assert likeness.level_of(7, 1.0) == 1
    assert likeness.level_of(50, 0.5) is None
    assert likeness.level_of(102, 0.5) is None


def test_equal_quantiles_leave_a_step() -> None:
    quantiles = np.linspace(0, 1, 101)
    quantiles[:51] = 0.5
    likeness = ClassSimilarity(np.array([1]), np.array([100]), quantiles[None].astype(np.float32))
    assert likeness.level_of(1, 0.49) == 0
    assert likeness.level_of(1, 0.5) == pytest.approx(0.5)
    assert likeness.level_of(1, 0.75) == pytest.approx(0.75)


def test_files_that_are_equal_count_once() -> None:
    vectors, labels = _drawn()
    digests = [bytes([row]) for row in range(len(labels))]
    doubled = fit_class_similarity(
        np.concatenate([vectors, vectors[:3]]), np.concatenate([labels, labels[:3]]), digests=[*digests, *digests[:3]]
    )
    np.testing.assert_array_equal(doubled.quantiles, fit_class_similarity(vectors, labels).quantiles)
    assert doubled.quantiles.max() < 1


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    likeness = fit_class_similarity(*_drawn())
    path = tmp_path / "likeness.npz"
    write_npz(path, compressed=True, **likeness.arrays())
    back = load_class_similarity(path)
    np.testing.assert_array_equal(back.quantiles, likeness.quantiles)
    assert back.level_of(3, 0.9) == likeness.level_of(3, 0.9)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SimilarityError, match="build_gallery"):
        load_class_similarity(path)
    with pytest.raises(ValueError, match="do not belong together"):
        fit_class_similarity(np.ones((3, 2)), np.ones(4))


@pytest.mark.parametrize("k", [1, 5])
def test_recall_equals_a_count_by_hand(k: int) -> None:
    drawn = drawn_photos(150, dimension=16)
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
    drawn = drawn_photos(600, dimension=256)
    gallery = Gallery.build(**drawn)
    assert recall_at_k(gallery, drawn["embeddings"], 10) > 0.97
    shuffled = np.random.default_rng(0).permutation(drawn["embeddings"])
    assert recall_at_k(gallery, shuffled, 10) < 0.2


def test_recall_of_equals_is_whole() -> None:
    embeddings = np.repeat(np.eye(4, dtype=np.float32) + 0.1, 5, axis=0)
    gallery = Gallery.build(embeddings, np.arange(20), np.ones(20), ["train"] * 20)
    assert recall_at_k(gallery, embeddings, 2) == 1


def test_recall_needs_the_embeddings_of_the_gallery() -> None:
    drawn = drawn_photos(20)
    gallery = Gallery.build(**drawn)
    for embeddings, k in ((drawn["embeddings"][:19], 3), (drawn["embeddings"], 20), (drawn["embeddings"], 0)):
        with pytest.raises(GalleryError, match="Recall needs"):
            recall_at_k(gallery, embeddings, k)
