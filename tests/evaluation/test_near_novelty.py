"""Draws of left-out classes, and their figures on drawn clusters."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from flowers_core.evaluation.near_novelty import (
    Embedded,
    kept_classes,
    left_out_classes,
    mean_head,
    near_draw,
    neighbour_cosines,
    side_by_side,
)
from flowers_core.inference.discriminant import fit_discriminant_space

_CLASSES, _CHANNELS = 8, 12
_CENTRES = np.random.default_rng(0).normal(0, 2, (_CLASSES, _CHANNELS))


def _split(photos: int, seed: int) -> Embedded:
    labels = np.arange(photos) % _CLASSES + 1
    noise = np.random.default_rng(seed).normal(0, 1, (photos, _CHANNELS))
    return Embedded((_CENTRES[labels - 1] + noise).astype(np.float32), labels)


def test_draws_are_of_the_size_wanted_and_differ_by_seed() -> None:
    drawn = [left_out_classes(seed, 102) for seed in range(5)]
    assert all(len(set(one)) == 20 and min(one) >= 1 and max(one) <= 102 for one in drawn)
    assert len(set(drawn)) == 5
    assert left_out_classes(0, 102) == drawn[0]
    assert kept_classes((2, 4), 5).tolist() == [1, 3, 5]


def test_the_classes_that_are_kept_close_ranks() -> None:
    photos = Embedded(np.arange(5, dtype=np.float32)[:, None], np.array([1, 2, 3, 5, 3]))
    kept = photos.of(kept_classes((2, 4), 5))
    assert kept.labels.tolist() == [1, 2, 3, 2]
    assert kept.embeddings.ravel().tolist() == [0, 2, 3, 4]


def test_the_logits_of_branches_are_the_mean_of_theirs() -> None:
    labels = np.array([2, 1])
    one, other = (Embedded(np.array(rows, np.float32), labels) for rows in ([[1, 2], [0, 1]], [[3], [5]]))
    heads = [
        (np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),
        (np.array([[2, 0]], np.float32), np.array([1, 4], np.float32)),
    ]
    photos, (weights, bias) = side_by_side([one, other]), mean_head(heads)
    # (1, 2) and (7, 4) for the first photo, (0, 1) and (11, 4) for the second.
    assert (photos.embeddings @ weights + bias).tolist() == [[4, 3], [5.5, 2.5]]
    assert photos.labels is labels


def test_scores_of_a_draw_against_scikit_learn() -> None:
    left_out = (3, 6)
    kept = kept_classes(left_out, _CLASSES)
    centres = _CENTRES[kept - 1]
    # The head whose logits are those of the nearest centre.
    head = centres.T.astype(np.float32), (-(centres**2).sum(axis=1) / 2).astype(np.float32)
    splits = {name: _split(160, seed) for seed, name in enumerate(("train", "validation", "test"))}
    found = near_draw(splits, head, 7, left_out, _CLASSES, resamples=20)
    assert (found.seed, found.left_out, found.known, found.others) == (7, left_out, 120, 40)
    test = splits["test"]
    logits = test.embeddings @ head[0] + head[1]
    inside = np.isin(test.labels, kept)
    answers = kept[logits.argmax(axis=1)]
    assert found.top1 == pytest.approx((answers == test.labels)[inside].mean())
    energy = np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)) + logits.max(axis=1)
    assert found.scores["energy"].auroc == pytest.approx(roc_auc_score(inside, energy), abs=1e-6)
    own = {"max_probability", "energy", "fdbd", "prototype_distance", "familiarity"}
    assert set(found.scores) == own | {"cosine", "fdbd_cosine", "cosine_probability", "knn"}
    assert found.scores["prototype_distance"].auroc > 0.8
    training = splits["train"].of(kept)
    cosines = fit_discriminant_space(training.embeddings, training.labels, len(kept)).cosines(test.embeddings)
    of_class = cosines[np.arange(len(test.labels)), logits.argmax(axis=1)].clip(min=0)
    product = of_class * softmax(logits.astype(np.float64), axis=1).max(axis=1) ** 0.5
    assert found.scores["cosine_probability"].auroc == pytest.approx(roc_auc_score(inside, product), abs=1e-6)
    held_out = splits["validation"]
    logits = held_out.embeddings @ head[0] + head[1]
    energy = np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)) + logits.max(axis=1)
    assert found.validation["energy"][0] == pytest.approx(
        roc_auc_score(np.isin(held_out.labels, kept), energy), abs=1e-6
    )
    assert set(found.validation) == set(found.scores)


def test_the_kth_neighbour_is_the_kth() -> None:
    training = np.array([(2.0, 0.0), (0.0, 3.0), (-1.0, 0.0)])
    # Of (3, 4) / 5 with the three: 0.6, 0.8 and -0.6.
    found = [neighbour_cosines(np.array([(3.0, 4.0)]), training, k)[0] for k in (1, 2, 3)]
    assert found == pytest.approx([0.8, 0.6, -0.6])
