"""Confident learning against cleanlab, its authors' own implementation, and against numbers worked out by hand."""

import numpy as np
import pytest

from flowers_core.data.audit.label_issues import confident_classes, confident_thresholds, find_label_issues


def _drawn(
    seed: int, n: int = 400, classes: int = 7, wrong: float = 0.15, skill: float = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a fair model, and labels of which some are wrong; the last class has no photos."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes - 1, size=n)
    logits = rng.normal(size=(n, classes)) * 1.5
    logits[np.arange(n), true] += skill
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.where(rng.random(n) < wrong, rng.integers(0, classes - 1, size=n), true)
    return probabilities, labels + 1


def test_by_hand() -> None:
    probabilities = [[0.9, 0.1, 0.0], [0.7, 0.2, 0.1], [0.1, 0.9, 0.0], [0.1, 0.5, 0.4], [0.85, 0.15, 0.0]]
    labels = [1, 1, 2, 2, 2]
    # Class 1: (0.9 + 0.7) / 2. Class 2: (0.9 + 0.5 + 0.15) / 3. Class 3 has no photos.
    np.testing.assert_allclose(confident_thresholds(probabilities, labels), [0.8, 1.55 / 3, 2.0])
    # The second and fourth photo reach no bar; the last reaches that of class 1.
    np.testing.assert_array_equal(confident_classes(probabilities, labels), [1, 0, 2, 0, 1])
    (suspect,) = find_label_issues([11, 12, 13, 14, 15], probabilities, labels)
    assert (suspect.photo_id, suspect.label, suspect.suggested) == (15, 2, 1)
    assert suspect.self_confidence == pytest.approx(0.15)
    assert suspect.margin == pytest.approx(-0.7)


@pytest.mark.parametrize("seed", range(6))
def test_equal_to_cleanlab(seed: int) -> None:
    count = pytest.importorskip("cleanlab.count")
    find = pytest.importorskip("cleanlab.filter").find_label_issues
    probabilities, labels = _drawn(seed)
    np.testing.assert_allclose(
        confident_thresholds(probabilities, labels), count.get_confident_thresholds(labels - 1, probabilities)
    )
    # Row i, column j: the photos labelled i + 1 that confidently show j + 1.
    theirs = count.compute_confident_joint(labels - 1, probabilities, calibrate=False)
    confident = confident_classes(probabilities, labels)
    ours = np.zeros_like(theirs)
    np.add.at(ours, (labels[confident > 0] - 1, confident[confident > 0] - 1), 1)
    np.fill_diagonal(ours, ours.diagonal().clip(min=1))  # cleanlab sets an empty class' diagonal to 1
    np.testing.assert_array_equal(ours, theirs)
    ranked = find(
        labels - 1,
        probabilities,
        filter_by="confident_learning",
        return_indices_ranked_by="normalized_margin",
        n_jobs=1,
    )
    assert len(ranked) > 20
    assert [photo.photo_id for photo in find_label_issues(np.arange(len(labels)), probabilities, labels)] == list(
        ranked
    )


def test_the_photos_that_were_mislabelled_are_found() -> None:
    probabilities, true = _drawn(0, wrong=0.0, skill=6)
    labels = true.copy()
    flipped = np.arange(0, 400, 20)
    labels[flipped] = labels[flipped] % 6 + 1
    found = [photo.photo_id for photo in find_label_issues(np.arange(400), probabilities, labels)]
    assert set(found[:10]) <= set(flipped.tolist())
    assert len(set(found) & set(flipped.tolist())) > len(found) / 2


def test_arrays_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        find_label_issues([1], [[0.5, 0.5]], [1, 2])
    with pytest.raises(ValueError, match="between 1 and 2"):
        find_label_issues([1], [[0.5, 0.5]], [3])
    with pytest.raises(ValueError, match="ids"):
        find_label_issues([1, 2], [[0.5, 0.5]], [1])
