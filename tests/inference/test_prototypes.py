"""How near a picture lies to a class, by hand in two dimensions."""

import numpy as np
import pytest

from flowers_core.inference.prototypes import Prototypes, fit_prototypes


def test_means_and_bar_by_hand() -> None:
    # Class 1: (1, 0) and (0.6, 0.8), whose mean points to (2, 1). Class 3: (0, 1) twice.
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 1]], np.float32)
    found = fit_prototypes(vectors, np.array([1, 1, 3, 3]), classes=3)
    assert found.vectors == pytest.approx(np.array([[0.8944, 0.4472], [0, 0], [0, 1]]), abs=1e-4)
    # Cosines 0.894, 0.894, 1, 1 with the means: 98 % of them are at least the smaller.
    assert found.threshold == pytest.approx(0.8944, abs=1e-4)


def test_what_is_as_near_as_the_photos_are_passes() -> None:
    means = Prototypes(np.array([[0.8, 0.6], [0, 0]], np.float32), 0.9)
    # Cosines with (0.8, 0.6): 1, 0.8, 0.96, 0.28; the length of an embedding does not matter.
    embeddings = [[4, 3], [0.01, 0], [0.6, 0.8], [-0.28, 0.96]]
    assert means.within_threshold(embeddings, 1).tolist() == [True, False, True, False]
    assert not means.within_threshold(embeddings, 2).any()


def test_without_photos_there_is_no_mean() -> None:
    with pytest.raises(ValueError, match="no training photos"):
        fit_prototypes(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), classes=3)
