"""Photos in two halves, each of which can judge what was learnt from the other."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def draw_halves(labels: ArrayLike) -> NDArray[np.int64]:
    """Halve photos by lot, always in the same way.

    Args:
        labels: (n,) the class of each photo.

    Returns:
        (n,) 0 or 1. The halves of a class, and those of all photos, differ by one photo at most.
    """
    labels = np.asarray(labels)
    generator = np.random.default_rng(0)
    order = np.concatenate([generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)])
    halves = np.empty(len(labels), np.int64)
    halves[order] = np.arange(len(labels)) % 2
    return halves
