import numpy as np
import pytest

from flowers_core.training.mixup import mixed

TARGETS = np.eye(6, dtype=np.float32)
# Features by which one sees of which photos a mixture is made.
FEATURES = TARGETS.reshape(6, 1, 2, 3).astype(np.float16)


def test_photos_and_labels_are_mixed_in_one_proportion_of_which_the_photo_itself_has_more() -> None:
    features, targets = mixed(FEATURES, TARGETS, 0.2, np.random.default_rng(3))
    np.testing.assert_allclose(features.reshape(6, 6), targets, atol=1e-3)
    own = np.diagonal(targets)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    # A photo that was drawn for itself stays whole; all others have one share.
    shares = set(np.round(own[own < 1], 5).tolist())
    assert len(shares) == 1
    assert 0.5 <= shares.pop() < 1
    # Each photo is mixed in once.
    np.testing.assert_allclose(targets.sum(axis=0), 1, atol=1e-6)
    assert (features.dtype, targets.dtype) == (np.float16, np.float32)


def test_the_proportion_is_that_of_the_beta_distribution() -> None:
    """Of Beta(1, 1) the larger share is uniform on 0.5…1, so its mean is 0.75."""
    rng = np.random.default_rng(0)
    shares = [mixed(FEATURES, TARGETS, 1.0, rng)[1].max(axis=1).min() for _ in range(2000)]
    assert np.mean(shares) == pytest.approx(0.75, abs=0.01)


def test_without_a_parameter_nothing_is_drawn_and_nothing_mixed() -> None:
    rng = np.random.default_rng(0)
    features, targets = mixed(FEATURES, TARGETS, 0.0, rng)
    assert features is FEATURES
    assert targets is TARGETS
    assert rng.random() == np.random.default_rng(0).random()
