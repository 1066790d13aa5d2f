"""Heads fitted without some photos, against least squares by NumPy and a class that one photo alone teaches."""

import numpy as np
import pytest

from flowers_core.explain.representer_evaluation import REGULARIZATION, evaluate_representers, fit_without
from flowers_core.explain.representers import Representers, representers_of

CLASSES = 5


def _representers(count: int = 60) -> Representers:
    rng = np.random.default_rng(0)
    labels = np.arange(count) % CLASSES + 1
    embeddings = np.eye(CLASSES)[labels - 1] + 0.2 * rng.random((count, CLASSES))
    return representers_of(np.arange(count), labels, embeddings, 8 * np.eye(CLASSES, dtype=np.float32))


def test_the_head_of_a_part_is_the_least_squares_solution() -> None:
    found, kept = _representers(), np.arange(0, 60, 2)
    coordinates, strength = found.coordinates(found.logits[kept]), 0.3
    rank = coordinates.shape[1]
    stacked = np.concatenate([coordinates, np.sqrt(strength * len(kept)) * np.eye(rank)])
    targets = np.concatenate([found.logits[kept], np.zeros((rank, CLASSES))])
    expected = np.linalg.lstsq(stacked, targets, rcond=None)[0]
    np.testing.assert_allclose(fit_without(found, kept, strength), expected, atol=1e-9)


def test_sums_agree_and_foretell() -> None:
    found = _representers()
    record = evaluate_representers(found, found.logits[:40] + 2, sampled=10, subsets=20, removed=3)
    assert (record.training_photos, record.test_photos, record.sampled) == (60, 40, 10)
    assert record.agreement == 1
    assert record.largest_error < 1e-9
    assert record.datamodelling.value > 0.8
    assert record.fall.value >= record.random_fall.value > 0


def test_the_fall_without_the_only_photo_of_a_class_is_that_of_a_head_fitted_by_hand() -> None:
    labels = np.array([*np.arange(40) % 4 + 1, 5])
    found = representers_of(np.arange(41), labels, np.eye(CLASSES)[labels - 1], np.eye(CLASSES, dtype=np.float32))
    photo = 6 * np.eye(CLASSES)[4]
    record = evaluate_representers(found, np.stack([photo, photo]), sampled=2, subsets=4, removed=1)
    answers = []
    for kept in (np.arange(41), np.arange(40)):
        coordinates = found.coordinates(found.logits)[kept]
        stacked = np.concatenate([coordinates, np.sqrt(REGULARIZATION * len(kept)) * np.eye(4)])
        targets = np.concatenate([found.logits[kept], np.zeros((4, CLASSES))])
        fitted = np.linalg.lstsq(stacked, targets, rcond=None)[0]
        answers.append(float(found.coordinates(photo[None])[0] @ fitted[:, 4]))
    assert record.fall.value == pytest.approx(1 - answers[1] / answers[0])
    assert record.random_fall.value == pytest.approx(record.fall.value)  # there is no other photo of the class
