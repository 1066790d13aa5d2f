from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from flowers_core.retrieval.similarity import (
    ClassSimilarity,
    SimilarityError,
    fit_class_similarity,
    load_class_similarity,
)
from flowers_core.storage.files import write_npz


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
