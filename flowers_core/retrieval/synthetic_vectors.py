"""Vectors like a gallery's, as many as wanted: what a search over far more photos than there are is measured on.

A vector is a photo's own embedding plus half the difference of two photos of one class, cut off at zero as the
network's embeddings are. So vectors lie where photos lie, in classes, and vary as photos of a class do.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flowers_core.retrieval.gallery import Gallery

#: Vectors that are drawn together.
BLOCK = 10_000
_SPREAD = 0.5
_QUERY_BLOCK = 10**6  # far beyond the blocks of any gallery


class SyntheticVectors:
    """An endless, repeatable sequence of unit vectors that have the statistics of a gallery's.

    Args:
        gallery: whose embeddings the vectors are made of.
        seed: draws them.
    """

    def __init__(self, gallery: Gallery, seed: int = 0) -> None:
        self._vectors, self._seed = gallery.vectors(), seed
        order = np.argsort(gallery.labels, kind="stable")
        self._by_class, labels = order, gallery.labels[order]
        self._first = np.searchsorted(labels, gallery.labels, side="left")
        self._size = np.searchsorted(labels, gallery.labels, side="right") - self._first
        self.dimension = gallery.dimension

    def block(self, number: int, count: int = BLOCK) -> NDArray[np.float32]:
        """The first vectors of a block, the same at every call.

        Args:
            number: the block's, from 0.
            count: of the vectors, at most BLOCK.

        Returns:
            (count, c) float32 of norm 1.
        """
        rng = np.random.default_rng((self._seed, number))
        self_, one = rng.integers(0, len(self._vectors), (2, BLOCK))[:, :count]
        other = self._by_class[self._first[one] + (rng.random(BLOCK)[:count] * self._size[one]).astype(np.int64)]
        made = np.maximum(self._vectors[self_] + _SPREAD * (self._vectors[one] - self._vectors[other]), 0)
        return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)

    def blocks(self, count: int) -> Iterator[NDArray[np.float32]]:
        """`count` vectors, block by block."""
        for number, start in enumerate(range(0, count, BLOCK)):
            yield self.block(number, min(BLOCK, count - start))

    def queries(self, count: int) -> NDArray[np.float32]:
        """Vectors of the same kind that are in no gallery."""
        return self.block(_QUERY_BLOCK, count)
