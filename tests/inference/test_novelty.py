"""Novelty by hand in two dimensions, and the distance to decision boundaries by solving for them."""

import numpy as np
import pytest
from scipy.optimize import minimize

from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.novelty import NoveltyRule, PrototypeDistance, boundary_distances, nearest_prototypes

_RULE = NoveltyRule(-1.0, 0.5, 3.0, 2.0, threshold=-1.0, accepted=0.95)


def test_familiarity_by_hand() -> None:
    # (−2 + 1) / 0.5 + (4 − 3) / 2 = −1.5, and (−1.25 + 1) / 0.5 + (3 − 3) / 2 = −0.5.
    assert _RULE.familiarity([-2.0, -1.25], [4.0, 3.0]).tolist() == [-1.5, -0.5]
    assert _RULE.looks_like_none([-2.0, -1.25], [4.0, 3.0]).tolist() == [True, False]
    assert _RULE.usual_distance == pytest.approx(np.e)


def test_rules_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        NoveltyRule(-1.0, 0.0, 3.0, 2.0, threshold=-1.0, accepted=0.95)
    with pytest.raises(ValueError, match="between 0 and 1"):
        NoveltyRule(-1.0, 0.5, 3.0, 2.0, threshold=-1.0, accepted=1.0)


def test_nearest_prototypes() -> None:
    space = DiscriminantSpace(
        prototypes=np.array([[0, 0], [3, 0], [0, 3]], np.float32),
        scale=np.array([1, 2], np.float32),
        mean=np.zeros(2, np.float32),
        projection=np.eye(2, dtype=np.float32),
    )
    # From (3, 1), with the second channel counted twice: 2 from the second, √13 from the first, 5 from the third.
    assert nearest_prototypes(space, [3, 1], 2) == (
        PrototypeDistance(2, pytest.approx(2)),
        PrototypeDistance(1, pytest.approx(np.sqrt(13))),
    )
    # Of equally near ones the lower label comes first: (0, 1.5) lies between the first and the third.
    assert [near.label for near in nearest_prototypes(space, [0, 1.5], 3)] == [1, 3, 2]


def test_boundary_distance_by_hand() -> None:
    weights = np.array([[1, 0, 0.5], [0, 1, 0.5]], np.float32)
    # Of (3, 1) the logits are 3, 1, 2. The boundary to class 2 is 2 / √2 away, that to class 3 is 1 / √0.5.
    assert boundary_distances([[3, 1, 2]], [[3, 1]], weights, np.zeros(2)) == pytest.approx(np.sqrt(2) / np.sqrt(10))
    # On the boundary of all classes it is zero, and where the embedding is the mean there is no direction to go.
    assert boundary_distances([[1, 1, 1], [0, 0, 0]], [[1, 1], [0, 0]], weights, np.zeros(2)).tolist() == [0, 0]
    # Between classes of equal weights there is no boundary.
    equal = boundary_distances([[3, 3, 1]], [[3, 1]], weights[:, [0, 0, 1]], np.zeros(2))
    assert equal == pytest.approx(np.sqrt(2) / 2 / np.sqrt(10))


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
    wanted = np.mean(steps) / np.linalg.norm(embedding - mean)
    assert boundary_distances(logits[None], embedding[None], weights, mean)[0] == pytest.approx(wanted, rel=1e-4)
