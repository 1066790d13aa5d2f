"""Learning rate by step, as Keras schedules that survive saving: cyclic, one-cycle, cosine with warm-up.

The three cyclic policies are those of Smith 2017, "Cyclical Learning Rates for Training Neural Networks",
arXiv 1506.01186; one-cycle is Smith & Topin 2017, arXiv 1708.07120; the cosine is Loshchilov & Hutter 2017,
arXiv 1608.03983, without restarts.
"""

import math
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule

from flowers_core.training.recipe import CYCLIC_POLICIES

_PACKAGE = "flowers"


@keras.saving.register_keras_serializable(package=_PACKAGE)
class CyclicLearningRate(LearningRateSchedule):
    """A triangle wave between two bounds.

    Args:
        lower, upper: learning rates, 0 < lower ≤ upper.
        step_size: steps of half a cycle; the paper advises 2 to 10 epochs.
        policy: "triangular" keeps the height of the wave, "triangular2" halves it after each cycle, "exp_range" scales
            it by gamma ** step.
        gamma: above 0 and at most 1.
    """

    def __init__(
        self, lower: float, upper: float, step_size: int, policy: str = "triangular", gamma: float = 0.9999
    ) -> None:
        if not 0 < lower <= upper:
            raise ValueError(f"A cyclic learning rate needs 0 < lower ≤ upper, not {lower:g} and {upper:g}.")
        if step_size < 1:
            raise ValueError(f"Half a cycle is at least one step, not {step_size}.")
        if policy not in CYCLIC_POLICIES:
            raise ValueError(f"There is no cyclic policy '{policy}'; choose one of {', '.join(CYCLIC_POLICIES)}.")
        if not 0 < gamma <= 1:
            raise ValueError(f"gamma lies above 0 and at most at 1, not {gamma:g}.")
        self.lower, self.upper, self.step_size, self.policy, self.gamma = lower, upper, step_size, policy, gamma

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, counted from 0."""
        step = ops.cast(step, "float32")
        cycle = ops.floor(1.0 + step / (2.0 * self.step_size))
        distance = ops.abs(step / self.step_size - 2.0 * cycle + 1.0)
        height = (self.upper - self.lower) * ops.maximum(0.0, 1.0 - distance)
        if self.policy == "triangular2":
            height = height * ops.power(0.5, cycle - 1.0)
        elif self.policy == "exp_range":
            height = height * ops.power(self.gamma, step)
        return self.lower + height

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        names = ("lower", "upper", "step_size", "policy", "gamma")
        return {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class OneCycleLearningRate(LearningRateSchedule):
    """Up once and down once: a cosine from upper / start_divisor to `upper`, then one down to upper / end_divisor.

    Args:
        upper: highest learning rate, above 0.
        steps: of the whole run, at least 2; past them the rate stays at its end.
        rise: share of the steps that the rate rises, in (0, 1).
        start_divisor, end_divisor: at least 1.
    """

    def __init__(
        self, upper: float, steps: int, rise: float = 0.3, start_divisor: float = 25.0, end_divisor: float = 1e4
    ) -> None:
        if upper <= 0 or steps < 2 or not 0 < rise < 1 or start_divisor < 1 or end_divisor < 1:
            raise ValueError(
                "A one-cycle learning rate needs upper > 0, at least 2 steps, rise between 0 and 1, "
                "and divisors of at least 1."
            )
        self.upper, self.steps, self.rise = upper, steps, rise
        self.start_divisor, self.end_divisor = start_divisor, end_divisor

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, counted from 0."""
        step = ops.cast(step, "float32")
        top = self.rise * self.steps
        start, end = self.upper / self.start_divisor, self.upper / self.end_divisor
        up = _cosine(start, self.upper, step / top)
        down = _cosine(self.upper, end, (step - top) / (self.steps - top))
        return ops.where(step < top, up, down)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        names = ("upper", "steps", "rise", "start_divisor", "end_divisor")
        return {name: getattr(self, name) for name in names}


def cosine_with_warmup(upper: float, steps: int, warmup_steps: int = 0, lower: float = 0.0) -> CosineDecay:
    """Keras' cosine: linear from 0 to `upper` over the warm-up, then half a cosine down to `lower` at the last step.

    Args:
        upper: highest learning rate, above 0.
        steps: of the whole run; past them the rate stays at `lower`.
        warmup_steps: fewer than `steps`, 0 for none.
        lower: final learning rate, from 0 to `upper`.

    Raises:
        ValueError: for settings that make no sense.
    """
    if not 0 <= lower <= upper or upper <= 0 or not 0 <= warmup_steps < steps:
        raise ValueError(
            "A cosine learning rate needs 0 ≤ lower ≤ upper, upper > 0 and fewer warm-up steps than steps."
        )
    alpha = lower / upper
    if warmup_steps == 0:
        return CosineDecay(upper, steps, alpha)
    return CosineDecay(0.0, steps - warmup_steps, alpha, warmup_target=upper, warmup_steps=warmup_steps)


def _cosine(first: float, last: float, progress: Any) -> Any:
    """From `first` to `last` along half a cosine while `progress` goes from 0 to 1."""
    return last + (first - last) * 0.5 * (1.0 + ops.cos(math.pi * ops.clip(progress, 0.0, 1.0)))
