"""Several models' answers as one: the weighted geometric mean of their calibrated probabilities."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.inference.prediction import log_softmax

STEPS = 10


def geometric_mean(logits: Sequence[ArrayLike], temperatures: Sequence[float], weights: Sequence[float]) -> NDArray:
    """Logits (n, classes) float64 whose softmax is the normalised weighted geometric mean of the members' answers.

    logits: one (n, classes) for each member, of the same photos in the same order; temperatures: > 0, one each;
    weights: one each, ≥ 0, adding up to 1.
    """
    parts = [
        weight * log_softmax(each, temperature)
        for each, temperature, weight in zip(logits, temperatures, weights, strict=True)
    ]
    return np.sum(parts, axis=0)


def choose_weights(
    logits: Sequence[ArrayLike], temperatures: Sequence[float], labels: ArrayLike, steps: int = STEPS
) -> tuple[float, ...]:
    """The weights, in steps of 1/steps, with the least negative log-likelihood on held-out photos.

    labels: (n,), 1-based. The likelihood rather than accuracy, which on a thousand photos is as good as equal for many
    weights.
    """
    columns = np.asarray(labels, np.int64) - 1
    each = np.arange(len(columns))

    def loss(weights: Sequence[float]) -> float:
        return -float(log_softmax(geometric_mean(logits, temperatures, weights))[each, columns].mean())

    grid = [
        tuple(part / steps for part in parts)
        for parts in itertools.product(range(steps + 1), repeat=len(logits))
        if sum(parts) == steps
    ]
    return min(grid, key=loss)
