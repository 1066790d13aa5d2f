"""Averages of weights: over the steps of a run, over its epochs, and between two networks.

Keras' optimizers can keep an exponential moving average too (`use_ema`), but with a constant decay. With a decay of
0.99 and some thirty steps an epoch, that average would hold on to the start for the first epochs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from flowers_core.training.recipe import CYCLIC_POLICIES, Recipe

Weights = list[NDArray[Any]]  # float32, one array a variable


class ExponentialMovingAverage:
    """The exponential moving average of some variables, kept in TensorFlow.

    After step n the decay is min(decay, (1 + n) / (10 + n)). So the average forgets its first steps sooner, and its
    start has no more weight than a step.
    """

    def __init__(self, variables: Sequence[tf.Variable], decay: float) -> None:
        """Begin with the variables as they are.

        Args:
            variables: what is averaged.
            decay: the highest, in [0, 1).
        """
        self._variables = list(variables)
        self._averages = [tf.Variable(tf.identity(variable), trainable=False) for variable in self._variables]
        self._decay = decay
        self._update = tf.function(self._move, autograph=False)

    def step(self, number: int) -> None:
        """Take in the variables after step `number`, counted from 1."""
        self._update(tf.constant(min(self._decay, (1 + number) / (10 + number)), tf.float32))

    def get(self) -> Weights:
        """The averages, one array a variable."""
        return [average.numpy() for average in self._averages]

    def set(self, weights: Weights) -> None:
        """Replace the averages, for a run that is resumed."""
        for average, weight in zip(self._averages, weights, strict=True):
            average.assign(weight)

    def _move(self, decay: tf.Tensor) -> None:
        for average, variable in zip(self._averages, self._variables, strict=True):
            average.assign(decay * average + (1.0 - decay) * variable)


class RunAverage:
    """The average of a run's weights that its recipe asks for (see `Recipe.average`).

    Attributes:
        count: how many sets of weights the mean over epochs holds.
    """

    def __init__(self, recipe: Recipe, variables: Sequence[tf.Variable], steps_per_epoch: int) -> None:
        """Begin with the variables as they are.

        Args:
            recipe: of the run.
            variables: what is averaged.
            steps_per_epoch: of the run, ≥ 1.
        """
        self._recipe, self._steps_per_epoch = recipe, steps_per_epoch
        self._moving = ExponentialMovingAverage(variables, recipe.ema_decay) if recipe.average == "ema" else None
        self._mean: Weights = [variable.numpy() for variable in variables]
        self.count = 0

    def after_step(self, number: int) -> None:
        """Take in the variables after step `number` of the run, counted from 1."""
        if self._moving is not None:
            self._moving.step(number)

    def after_epoch(self, epoch: int, weights: Weights) -> None:
        """Take in an epoch's weights, if the mean over epochs includes that epoch.

        Args:
            epoch: counted from 1.
            weights: after that epoch.
        """
        if self._recipe.average == "valleys" and self._is_valley(epoch):
            self.count += 1
            self._mean = running_mean(self._mean, weights, self.count)

    def of(self, weights: Weights) -> Weights:
        """The average as it is now, or `weights`, the run's present ones, where there is none yet."""
        if self._moving is not None:
            return self._moving.get()
        return self._mean if self.count else weights

    def state(self) -> Weights:
        """What a checkpoint keeps of it, beside the count."""
        return self._mean if self._moving is None else self._moving.get()

    def restore(self, state: Weights, count: int) -> None:
        """Resume from a checkpoint.

        Args:
            state: what `state` returned.
            count: how many sets of weights the mean holds.
        """
        self._mean, self.count = state, count
        if self._moving is not None:
            self._moving.set(state)

    def _is_valley(self, epoch: int) -> bool:
        if self._recipe.schedule not in CYCLIC_POLICIES:
            return epoch > 0.75 * self._recipe.epochs
        cycle, steps = 2 * self._recipe.step_size, epoch * self._steps_per_epoch
        return steps // cycle > (steps - self._steps_per_epoch) // cycle


def running_mean(mean: Weights, weights: Weights, count: int) -> Weights:
    """The mean of `count` sets of weights (SWA, Izmailov et al. 2018, arXiv 1803.05407).

    Args:
        mean: of the first `count` − 1 sets.
        weights: the last set, of the same shapes.
        count: at least 1.
    """
    return [m + (w - m) / count for m, w in zip(mean, weights, strict=True)]


def interpolated(start: Weights, end: Weights, alpha: float) -> Weights:
    """(1 − alpha) · start + alpha · end, weight by weight (WiSE-FT, Wortsman et al. 2022, arXiv 2109.01903).

    Args:
        start, end: weights of equal shapes.
        alpha: 0…1.

    Returns:
        Weights of the dtypes of `start`.
    """
    return [((1.0 - alpha) * a + alpha * b).astype(a.dtype) for a, b in zip(start, end, strict=True)]


def best_interpolation(
    start: Weights, end: Weights, score: Callable[[Weights], tuple[float, float]], alphas: Sequence[float]
) -> tuple[float, list[tuple[float, float, float]]]:
    """Choose the alpha whose interpolated weights score best.

    Args:
        start, end: weights of equal shapes.
        score: of some weights, the higher the better. Its first entry decides and the second breaks ties; a tie in
            both goes to the larger alpha.
        alphas: the candidates, 0…1.

    Returns:
        The best alpha, and (alpha, first score, second score) of each in ascending order.
    """
    curve = [(alpha, *score(interpolated(start, end, alpha))) for alpha in sorted(alphas)]
    best = max(curve, key=lambda point: (point[1], point[2], point[0]))
    return best[0], curve
