"""Which view of which photo each step of an epoch learns from."""

import numpy as np
from numpy.typing import NDArray

from flowers_core.training.recipe import Recipe

# The photos of each step, and the view of each: two arrays (steps, batch size).
Draws = tuple[NDArray[np.int64], NDArray[np.int64]]


def draws(labels: NDArray[np.integer], recipe: Recipe, epoch: int) -> Draws:
    """The photos of an epoch in their order, which depends on the seed and the epoch alone.

    A photo shows its next view whenever it is drawn. Each starts at a different one, so a batch mixes views, and view 0
    is used as often as the others. In a balanced recipe every class is drawn equally often, n / classes times an epoch:
    a class with fewer photos than that shows some of them twice, one with more shows the rest in the next epochs.

    Args:
        labels: (n,) in 0…classes−1.
        recipe: batch size, views, seed, and whether classes are balanced.
        epoch: counted from 0.
    """
    rng = np.random.default_rng([recipe.seed, epoch])
    if recipe.balanced:
        drawn, uses = _balanced(labels, recipe.seed, epoch)
        order = rng.permutation(len(drawn))
        photos, uses = drawn[order], uses[order]
    else:
        photos = rng.permutation(len(labels))
        uses = np.full(len(labels), epoch)
    steps = len(photos) // recipe.batch_size
    shape = (steps, recipe.batch_size)
    photos, uses = photos[: steps * recipe.batch_size], uses[: steps * recipe.batch_size]
    return photos.reshape(shape), ((uses + photos) % recipe.views).reshape(shape)


def _balanced(labels: NDArray[np.integer], seed: int, epoch: int) -> Draws:
    """The photos of a balanced epoch, class by class, and how often each was drawn before."""
    classes = np.unique(labels)
    share = len(labels) // len(classes)
    rng = np.random.default_rng(seed)
    turns = epoch * share + np.arange(share)
    drawn, uses = [], []
    for label in classes:
        members = rng.permutation(np.flatnonzero(labels == label))
        drawn.append(members[turns % len(members)])
        uses.append(turns // len(members))
    return np.concatenate(drawn), np.concatenate(uses)
