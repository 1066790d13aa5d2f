import numpy as np
import pytest

from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.stores.space import EmbeddingSpace, SpaceError


@pytest.fixture
def plane() -> Gallery:
    """Embeddings of four values, the most along the second, some along the fourth, none elsewhere."""
    return Gallery.build([[0, 3, 0, 1], [0, 3, 0, -1], [0, 1, 0, 0]], [1, 2, 3], [1, 1, 1], ["train"] * 3)


def test_the_axes_are_the_main_directions_and_the_signs_are_fixed(plane):
    space = EmbeddingSpace.of(plane, "digest", 2)
    assert (space.size, space.dimension) == (4, 2)
    assert np.allclose(space.axes, [[0, 0], [1, 0], [0, 0], [0, 1]], atol=0.01)


def test_a_projected_embedding_has_norm_1_whatever_lies_outside(plane):
    space = EmbeddingSpace.of(plane, "digest", 2)
    assert np.allclose(space.project(np.array([[7, 3, 7, 4]], np.float32)), [[0.6, 0.8]], atol=0.02)


def test_without_axes_embeddings_stay():
    assert np.allclose(EmbeddingSpace("digest", 2).project(np.array([[3, 4]], np.float32)), [[0.6, 0.8]])


@pytest.mark.parametrize("axes", [None, np.eye(4, 2, dtype=np.float32)])
def test_bytes_and_back(axes):
    space = EmbeddingSpace("digest", 4, axes)
    again = EmbeddingSpace.from_bytes(space.to_bytes())
    assert (again.model, again.size, again.dimension) == (space.model, 4, space.dimension)
    assert axes is None or np.array_equal(again.axes, axes)


def test_what_does_not_fit_is_refused():
    with pytest.raises(SpaceError, match="another model"):
        EmbeddingSpace("digest", 4).project(np.ones((1, 3), np.float32))
    with pytest.raises(SpaceError, match="anew"):
        EmbeddingSpace.from_bytes(b"no space")
