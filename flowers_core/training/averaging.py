"""Averages of weights: over steps, over the valleys of a cyclic run, and between two networks."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

Weights = list[NDArray[Any]]  # float32, one array a variable


class ExponentialAverage:
    """The exponential moving average of some variables, kept in TensorFlow.

    After step n the decay is min(decay, (1 + n) / (10 + n)): the first steps are forgotten sooner, and the start is not
    given more weight than a step of its own.
    """

    def __init__(self, variables: Sequence[tf.Variable], decay: float) -> None:
        self._variables = list(variables)
        self._averages = [tf.Variable(tf.identity(variable), trainable=False) for variable in self._variables]
        self._decay = decay
        self._update = tf.function(self._move, autograph=False)

    def step(self, number: int) -> None:
        """Take in the variables after step `number`, counted from 1."""
        self._update(tf.constant(min(self._decay, (1 + number) / (10 + number)), tf.float32))

    def get(self) -> Weights:
        """The averages."""
        return [average.numpy() for average in self._averages]

    def set(self, weights: Weights) -> None:
        """Replace the averages, for a run that goes on."""
        for average, weight in zip(self._averages, weights, strict=True):
            average.assign(weight)

    def _move(self, decay: tf.Tensor) -> None:
        for average, variable in zip(self._averages, self._variables, strict=True):
            average.assign(decay * average + (1.0 - decay) * variable)


def running_mean(mean: Weights, weights: Weights, count: int) -> Weights:
    """The mean of `count` sets of weights: the mean of the first count − 1, and the last (SWA, arXiv 1803.05407)."""
    return [m + (w - m) / count for m, w in zip(mean, weights, strict=True)]


def interpolated(start: Weights, end: Weights, share: float) -> Weights:
    """The way from `start` (share 0) to `end` (share 1), weight by weight (WiSE-FT, arXiv 2109.01903)."""
    return [((1.0 - share) * a + share * b).astype(a.dtype) for a, b in zip(start, end, strict=True)]


def best_interpolation(
    start: Weights, end: Weights, score: Callable[[Weights], tuple[float, float]], shares: Sequence[float]
) -> tuple[float, list[tuple[float, float, float]]]:
    """The share of the way whose weights score best, and (share, first score, second score) of each.

    The first score decides, the second breaks ties; ties in both go to the larger share.
    """
    curve = [(share, *score(interpolated(start, end, share))) for share in sorted(shares)]
    best = max(curve, key=lambda point: (point[1], point[2], point[0]))
    return best[0], curve
