from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier

from flowers_core.data.photo_ref import oxford
from flowers_core.inference.records.gallery import KnnRule
from flowers_core.retrieval import knn
from flowers_core.retrieval.knn import COUNTS, fit_knn_rule, knn_predict, knn_probabilities
from flowers_core.retrieval.neighbour import Neighbour

RULE = KnnRule(k=3, temperature=0.1, floor=0.04, splits=("train",), top1=0.0, nll=0.0, photos=0)


def _neighbours(*pairs: tuple[int, float]) -> list[Neighbour]:
    return [Neighbour(oxford(number), label, "train", cosine) for number, (label, cosine) in enumerate(pairs, 1)]


def test_by_hand() -> None:
    result = knn_predict(_neighbours((5, 0.9), (9, 0.8), (9, 0.8), (5, 0.79)), RULE, classes=4 + 6)
    # Weights 1, 1/e, 1/e of three neighbours; the fourth is not asked.
    total = 1 + 2 / np.e
    assert [candidate.label for candidate in result.candidates] == [5, 9]
    assert result.probability == pytest.approx(0.96 / total + 0.004)
    assert result.candidates[1].probability == pytest.approx(0.96 * (2 / np.e) / total + 0.004)
    assert result.neighbours == 3
    assert result.agrees_with(5)
    assert not result.agrees_with(9)
    with pytest.raises(ValueError, match="no neighbours"):
        knn_predict([], RULE, 10)


def test_at_a_high_temperature_it_is_a_plain_count() -> None:
    rng = np.random.default_rng(0)
    points, queries = rng.normal(size=(80, 6)), rng.normal(size=(30, 6))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    labels = rng.integers(1, 5, size=80)
    expected = KNeighborsClassifier(7).fit(points, labels).predict_proba(queries)
    cosines = queries @ points.T
    nearest = np.argsort(-cosines, axis=1)[:, :7]
    found = knn_probabilities(np.take_along_axis(cosines, nearest, 1), labels[nearest], 1e6, 0.0, 4)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def _drawn(noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(8, 12))
    sets = []
    for n in (160, 120):
        labels = rng.integers(1, 9, size=n)
        vectors = centres[labels - 1] + rng.normal(size=(n, 12)) * noise
        sets += [(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels]
    return sets[2], sets[3], sets[0], sets[1]


def test_the_rule_is_the_best_that_was_tried() -> None:
    vectors, labels, gallery, gallery_labels = _drawn(1.2)
    rule = fit_knn_rule(vectors, labels, gallery, gallery_labels, splits=("train",), classes=8)
    assert rule.k in COUNTS
    assert rule.k > 1
    cosines = vectors @ gallery.T
    order = np.argsort(-cosines, axis=1, kind="stable")

    def loss(k: int, temperature: float, floor: float) -> float:
        near = order[:, :k]
        rows = knn_probabilities(np.take_along_axis(cosines, near, 1), gallery_labels[near], temperature, floor, 8)
        return float(log_loss(labels, rows, labels=np.arange(1, 9)))

    assert rule.nll == pytest.approx(loss(rule.k, rule.temperature, rule.floor), abs=1e-6)
    for k, factor in ((rule.k, 1.3), (rule.k, 0.7), (1, 1.0), (40, 1.0), (3, 1.0)):
        assert rule.nll <= loss(k, rule.temperature * factor, rule.floor) + 1e-6
    assert (rule.photos, rule.splits) == (120, ("train",))


def test_of_very_many_photos_an_even_part_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels, gallery, gallery_labels = _drawn(1.2)
    drawn = np.random.default_rng(0).permutation(len(labels))
    five_each = np.concatenate([[row for row in drawn if labels[row] == label][:5] for label in range(1, 9)])
    alone = fit_knn_rule(vectors[five_each], labels[five_each], gallery, gallery_labels, splits=("train",), classes=8)
    monkeypatch.setattr(knn, "MOST", 40)
    rule = fit_knn_rule(vectors, labels, gallery, gallery_labels, splits=("train",), classes=8)
    assert rule.photos == 40
    assert (rule.k, rule.floor) == (alone.k, alone.floor)
    assert rule.nll == pytest.approx(alone.nll)


def test_probabilities_are_calibrated_on_photos_of_the_same_kind() -> None:
    from flowers_core.evaluation.calibration import ece

    vectors, labels, gallery, gallery_labels = _drawn(1.0)
    rule = fit_knn_rule(vectors[:60], labels[:60], gallery, gallery_labels, splits=("train",), classes=8)
    cosines = vectors[60:] @ gallery.T
    near = np.argsort(-cosines, axis=1)[:, : rule.k]
    rows = knn_probabilities(
        np.take_along_axis(cosines, near, 1), gallery_labels[near], rule.temperature, rule.floor, 8
    )
    raw = knn_probabilities(np.take_along_axis(cosines, near, 1), gallery_labels[near], 0.005, 0.001, 8)
    assert ece(rows, labels[60:], bins=5) < ece(raw, labels[60:], bins=5)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"temperature": 0.0}, {"floor": 1.0}])
def test_a_rule_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a k-NN rule has k of at least 1"):
        replace(RULE, **wrong)
