"""A sample of a split that has every class in it as evenly as its size allows."""

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.oxford import OxfordFlowers


def stratified(flowers: OxfordFlowers, split: str, count: int, seed: int) -> NDArray[np.int64]:
    """Photos of a split, as evenly over the classes as `count` allows: (≤ count,) ids, ascending; drawn by `seed`."""
    generator = np.random.default_rng(seed)
    drawn = generator.permutation(flowers.split_ids(split))
    labels = flowers.labels[drawn - 1]
    # The n-th photo of every class comes before the n + 1-th of any.
    turn = np.empty(len(drawn), np.int64)
    for label in np.unique(labels):
        turn[labels == label] = np.arange(np.count_nonzero(labels == label))
    return np.sort(drawn[np.argsort(turn, kind="stable")[:count]])
