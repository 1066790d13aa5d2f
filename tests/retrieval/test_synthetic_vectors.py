"""Vectors like a gallery's."""

import numpy as np
import pytest

from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.synthetic_vectors import SyntheticVectors
from tests.fixtures.galleries import random_gallery


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return random_gallery()


def test_the_vectors_are_repeatable_unit_and_of_their_kind(gallery: Gallery) -> None:
    source = SyntheticVectors(gallery)
    blocks = list(source.blocks(25_000))
    assert [len(block) for block in blocks] == [10_000, 10_000, 5_000]
    np.testing.assert_array_equal(source.block(1), blocks[1])
    np.testing.assert_array_equal(source.block(2, 7), blocks[2][:7])
    assert not np.array_equal(blocks[0], blocks[1])
    for block in blocks:
        np.testing.assert_allclose(np.linalg.norm(block, axis=1), 1, rtol=1e-5)
        assert (block >= 0).all()
    # A made vector is nearer to a real one than real ones are to each other on the whole, and not equal to it.
    nearest = (blocks[0][:200] @ gallery.vectors().T).max(axis=1)
    assert 0.8 < np.median(nearest) < 0.999
