"""A logit as a sum over training photos, against a fit by gradient descent and sums worked out by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from flowers_core.explain.explanation import ClassTarget, ContrastTarget, NeighbourTarget
from flowers_core.explain.representers import Representers, representers_of, strongest

CLASSES = 4


def _representers(count: int = 30, seed: int = 0) -> Representers:
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, CLASSES + 1, count)
    return representers_of(
        np.arange(1, count + 1), labels, rng.random((count, 9)), rng.normal(size=(9, CLASSES)).astype(np.float32)
    )


def _photo(seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=CLASSES) + 5


def test_contributions_sum_to_the_logit_and_to_the_gap() -> None:
    found, photo = _representers(), _photo()
    for label in range(1, CLASSES + 1):
        total = found.contributions(photo, ClassTarget(label)).sum()
        assert total == pytest.approx(photo[label - 1] - photo.mean(), abs=1e-9)
    assert found.contributions(photo, ContrastTarget(1, 3)).sum() == pytest.approx(photo[0] - photo[2], abs=1e-9)


@pytest.mark.parametrize("strength", [0.03, 1.0])
def test_a_head_fitted_by_gradient_descent_gives_the_same_answers_and_shares(strength: float) -> None:
    found, photo = _representers(), _photo()
    coordinates, count = found.coordinates(found.logits), len(found)
    fitted = np.zeros((coordinates.shape[1], CLASSES))
    for _ in range(2000):
        residual = found.logits - coordinates @ fitted
        fitted += 0.2 * (coordinates.T @ residual / count - strength * fitted)
    answer = found.coordinates(photo[None])[0] @ fitted
    np.testing.assert_allclose(answer * (1 + strength), photo - photo.mean(), atol=1e-9)
    # The representer theorem at that point, with the residuals over λ n as the paper has it.
    weights = (found.logits - coordinates @ fitted)[:, 1] / (strength * count)
    shares = weights * (coordinates @ found.coordinates(photo[None])[0])
    np.testing.assert_allclose(shares * (1 + strength), found.contributions(photo, ClassTarget(2)), atol=1e-9)


def test_one_photo_that_alone_teaches_a_class_speaks_for_it_alone() -> None:
    # Four classes, two photos each but for the last, of which there is one; the embedding says which class it is.
    labels = np.array([1, 1, 2, 2, 3, 3, 4])
    embeddings = np.eye(CLASSES)[labels - 1]
    found = representers_of(np.arange(10, 17), labels, embeddings, np.eye(CLASSES, dtype=np.float32))
    contributions = found.contributions(np.array([0.0, 0, 0, 8]), ClassTarget(4))
    speaks_for, against = strongest(contributions, 3)
    assert found.ids[speaks_for[0]] == 16
    assert contributions.sum() == pytest.approx(6)
    # By hand: z_n = e_n − ¼, C = Σ z zᵀ / 7, and zᵀ C⁻ z_n / 7 on the space of vectors that sum to 0.
    z = embeddings - 0.25
    by_hand = z[:, 3] * (z @ np.linalg.pinv(z.T @ z) @ (np.array([0.0, 0, 0, 8]) - 2))
    np.testing.assert_allclose(contributions, by_hand, atol=1e-9)
    assert all(found.labels[position] != 4 for position in against)


def test_what_taught_a_mistake_is_the_positive_part_of_the_gap() -> None:
    found, photos = _representers(), np.stack([_photo(1), _photo(2)])
    shares = found.taught(photos, np.array([2, 1]), np.array([3, 4]))
    for row, (photo, target) in enumerate(zip(photos, (ContrastTarget(2, 3), ContrastTarget(1, 4)), strict=True)):
        gap = np.maximum(found.contributions(photo, target), 0)
        np.testing.assert_allclose(shares[row], gap / gap.sum(), atol=1e-12)


def test_neither_scale_nor_a_number_added_to_all_logits_changes_a_share() -> None:
    found, photo = _representers(), _photo()
    shares = found.contributions(photo, ClassTarget(1))
    scaled = Representers(found.ids, found.labels, 7 * found.logits)
    np.testing.assert_allclose(scaled.contributions(photo + 3, ClassTarget(1)), shares, atol=1e-9)


def test_strongest_leaves_out_what_has_the_other_sign() -> None:
    speaks_for, against = strongest(np.array([0.0, 2, -1, 3, -4]), 3)
    assert speaks_for.tolist() == [3, 1]
    assert against.tolist() == [4, 2]


def test_targets_that_make_no_sense_are_refused() -> None:
    found, photo = _representers(), _photo()
    with pytest.raises(ValueError, match="not for a neighbour"):
        found.contributions(photo, NeighbourTarget(3))
    with pytest.raises(ValueError, match="no label 5"):
        found.contributions(photo, ClassTarget(5))
    with pytest.raises(ValueError, match="training photos"):
        Representers(np.arange(3), np.arange(2), np.zeros((3, CLASSES)))
