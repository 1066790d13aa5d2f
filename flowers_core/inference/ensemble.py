"""Several models as one: the weighted geometric mean of their calibrated probabilities."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.inference.prediction import log_softmax

STEPS = 10


def geometric_mean(logits: Sequence[ArrayLike], temperatures: Sequence[float], weights: Sequence[float]) -> NDArray:
    """The normalized weighted geometric mean of the members' probabilities, as logits.

    Args:
        logits: (n, classes) of each member, for the same photos in the same order.
        temperatures: one for each member, above 0.
        weights: one for each member, at least 0, with a sum of 1.

    Returns:
        (n, classes) float64, whose softmax is the mean.
    """
    parts = [
        weight * log_softmax(each, temperature)
        for each, temperature, weight in zip(logits, temperatures, weights, strict=True)
    ]
    return np.sum(parts, axis=0)


def choose_weights(
    logits: Sequence[ArrayLike], temperatures: Sequence[float], labels: ArrayLike, steps: int = STEPS
) -> tuple[float, ...]:
    """The weights with the least negative log-likelihood on held-out photos, searched on a grid.

    Accuracy would not do: on a thousand photos it is nearly equal for many weights.

    Args:
        logits: (n, classes) of each member, for the same photos in the same order.
        temperatures: one for each member, above 0.
        labels: (n,), 1-based.
        steps: the weights are multiples of 1 / steps.

    Returns:
        One weight for each member, at least 0, with a sum of 1.
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
