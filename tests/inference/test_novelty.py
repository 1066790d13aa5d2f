"""Distance to decision boundaries and prototypes, by hand in two dimensions and by solving for the boundary."""

import numpy as np
import pytest
from scipy.optimize import minimize

from flowers_core.inference.novelty import FeatureGeometry, NoveltyRule, PrototypeCosine

# Two classes along the axes, and one between them.
_WEIGHTS = np.array([[1, 0, 0.5], [0, 1, 0.5]], np.float32)
_PROTOTYPES = np.array([[1, 0], [0, 1], [0, 0]], np.float32)


def test_boundary_distance_by_hand() -> None:
    geometry = FeatureGeometry(_WEIGHTS, _PROTOTYPES, np.zeros(2, np.float32))
    # Of (3, 1) the logits are 3, 1, 2. The boundary to class 2 is 2 / √2 away, that to class 3 is 1 / √0.5.
    found = geometry.boundary_distances([[3, 1, 2]], [[3, 1]])
    assert found == pytest.approx(np.sqrt(2) / np.sqrt(10))
    # On the boundary of all classes it is zero, and where the embedding is the mean there is no direction to go.
    assert geometry.boundary_distances([[1, 1, 1], [0, 0, 0]], [[1, 1], [0, 0]]).tolist() == [0, 0]


def test_boundary_distance_is_the_least_step_that_changes_the_answer() -> None:
    generator = np.random.default_rng(0)
    weights, bias = generator.normal(size=(5, 4)), generator.normal(size=4)
    embedding, mean = generator.normal(size=5), generator.normal(size=5)
    logits = embedding @ weights + bias
    best = int(logits.argmax())
    steps = []
    for other in set(range(4)) - {best}:
        gap = weights[:, best] - weights[:, other]
        on_boundary = {
            "type": "eq",
            "fun": lambda step, gap=gap, other=other: (embedding + step) @ gap + bias[best] - bias[other],
        }
        steps.append(float(np.linalg.norm(minimize(lambda step: step @ step, np.zeros(5), constraints=on_boundary).x)))
    geometry = FeatureGeometry(weights.astype(np.float32), np.zeros((4, 5), np.float32), mean.astype(np.float32))
    wanted = np.mean(steps) / np.linalg.norm(embedding - mean)
    assert geometry.boundary_distances(logits[None], embedding[None])[0] == pytest.approx(wanted, rel=1e-4)


def test_classes_with_equal_weights_have_no_boundary_between_them() -> None:
    geometry = FeatureGeometry(_WEIGHTS[:, [0, 0, 1]], _PROTOTYPES, np.zeros(2, np.float32))
    assert geometry.boundary_distances([[3, 3, 1]], [[3, 1]]) == pytest.approx(np.sqrt(2) / 2 / np.sqrt(10))


def test_nearest_prototypes() -> None:
    geometry = FeatureGeometry(_WEIGHTS, _PROTOTYPES, np.zeros(2, np.float32))
    assert geometry.nearest_prototypes([6, 8], 2) == (
        PrototypeCosine(2, pytest.approx(0.8)),
        PrototypeCosine(1, pytest.approx(0.6)),
    )
    # A class without photos, and an embedding without a direction, are near to nothing.
    assert geometry.prototype_cosines([[3, 4], [0, 0]]).tolist() == [
        [pytest.approx(0.6), pytest.approx(0.8), 0],
        [0] * 3,
    ]


def test_familiarity_by_hand() -> None:
    geometry = FeatureGeometry(_WEIGHTS, _PROTOTYPES, np.zeros(2, np.float32))
    rule = NoveltyRule(0.4, 0.1, 0.8, 0.2, distance_weight=0.25, threshold=0.7, accepted=0.95)
    logits, embeddings = [[3, 1, 2], [1, 1, 1]], [[3, 1], [1, 1]]
    first = 0.25 * (1 / np.sqrt(5) - 0.4) / 0.1 + 0.75 * (3 / np.sqrt(10) - 0.8) / 0.2
    second = 0.25 * (0 - 0.4) / 0.1 + 0.75 * (1 / np.sqrt(2) - 0.8) / 0.2
    assert rule.familiarity(geometry, logits, embeddings) == pytest.approx([first, second])
    assert 0.6 < first < 0.7
    assert rule.looks_like_none(geometry, logits, embeddings).tolist() == [True, True]
    lower = NoveltyRule(0.4, 0.1, 0.8, 0.2, distance_weight=0.25, threshold=0.6, accepted=0.95)
    assert lower.looks_like_none(geometry, logits, embeddings).tolist() == [False, True]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="not of one network"):
        FeatureGeometry(_WEIGHTS, _PROTOTYPES[:2], np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="must be positive"):
        NoveltyRule(0.4, 0.0, 0.8, 0.2, distance_weight=0.25, threshold=0.5, accepted=0.95)
