"""The scaled space of embeddings: distances by hand, cosines against the inverse covariance, and what is kept."""

import numpy as np
import pytest

from flowers_core.inference.discriminant import SHRINKAGE, DiscriminantSpace, fit_discriminant_space


def _clouds(photos: int = 40, channels: int = 6, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    centres = generator.normal(0, 2, (classes, channels))
    mixing = generator.normal(size=(channels, channels))
    labels = np.repeat(np.arange(1, classes + 1), photos)
    return centres[labels - 1] + generator.normal(size=(len(labels), channels)) @ mixing, labels


def test_distances_by_hand() -> None:
    # Class 1 at (0, 0) and (2, 0), class 2 at (5, 1) and (5, 3): each channel has the variance (1 + 1 + 0 + 0) / 2
    # within classes, and a tenth of the mean variance is added.
    space = fit_discriminant_space([[0, 0], [2, 0], [5, 1], [5, 3]], [1, 1, 2, 2], classes=2)
    assert space.prototypes.tolist() == [[1, 0], [5, 2]]
    assert space.mean.tolist() == [3, 1]
    assert space.scale == pytest.approx(np.full(2, 1 / np.sqrt(1.1)))
    assert space.distances([[1, 0], [1, 2]]) == pytest.approx(
        np.array([[0, np.sqrt(20)], [2, 4]]) / np.sqrt(1.1), abs=1e-3
    )


def test_cosines_are_those_of_the_inverse_covariance() -> None:
    embeddings, labels = _clouds()
    space = fit_discriminant_space(embeddings, labels, classes=4)
    means = np.stack([embeddings[labels == label].mean(axis=0) for label in range(1, 5)])
    within = embeddings - means[labels - 1]
    covariance = within.T @ within / (len(embeddings) - 4)
    variances = np.diag(covariance)
    shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.diag(variances + 0.01 * variances.mean())
    centred = means - embeddings.mean(axis=0)
    products = centred @ np.linalg.solve(shrunk, centred.T)
    lengths = np.sqrt(np.diag(products))
    assert space.cosines(means) == pytest.approx(products / lengths[:, None] / lengths[None, :], abs=1e-5)
    # The length of a centred embedding does not matter, and the mean has no direction.
    far = embeddings.mean(axis=0) + 7 * centred
    assert space.cosines(far) == pytest.approx(space.cosines(means), abs=1e-5)
    assert np.abs(space.cosines(space.mean[None])).max() == 0


def test_a_class_without_photos_is_near_to_nothing() -> None:
    embeddings, labels = _clouds()
    space = fit_discriminant_space(embeddings, labels, classes=6)
    without = fit_discriminant_space(embeddings, labels, classes=4)
    assert space.prototypes[4:] == pytest.approx(np.stack([space.mean] * 2))
    assert space.distances(embeddings)[:, :4] == pytest.approx(without.distances(embeddings))
    assert space.cosines(embeddings)[:, :4] == pytest.approx(without.cosines(embeddings), abs=1e-4)
    assert np.abs(space.cosines(embeddings)[:, 4:]).max() < 1e-3


def test_half_precision_changes_little() -> None:
    embeddings, labels = _clouds()
    space = fit_discriminant_space(embeddings, labels, classes=4)
    kept = DiscriminantSpace(**{name: values.astype(np.float32) for name, values in space.arrays().items()})
    assert kept.distances(embeddings) == pytest.approx(space.distances(embeddings), rel=2e-3, abs=2e-3)
    assert kept.cosines(embeddings) == pytest.approx(space.cosines(embeddings), abs=2e-3)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="more training photos than classes"):
        fit_discriminant_space(np.ones((2, 2)), [1, 2], classes=2)
    with pytest.raises(ValueError, match="not of one space"):
        DiscriminantSpace(*(np.zeros(shape, np.float32) for shape in ((3, 2), (2,), (2,), (3, 2))))
