"""A recipe's learning-rate schedule and optimizer, as Keras objects."""

import keras
from keras.optimizers.schedules import LearningRateSchedule

from flowers_core.training.recipe import Recipe
from flowers_core.training.schedules import CyclicLearningRate, OneCycleLearningRate, cosine_with_warmup


def learning_rate(recipe: Recipe, steps: int, factor: float = 1.0) -> LearningRateSchedule | float:
    """The learning rate of a run: a schedule by step, or a constant.

    Args:
        recipe: schedule and rates.
        steps: of the whole run.
        factor: that multiplies every rate.
    """
    upper, lower = recipe.learning_rate * factor, recipe.lower_rate * factor
    if recipe.schedule == "constant":
        return upper
    if recipe.schedule == "cosine":
        return cosine_with_warmup(upper, steps, int(recipe.warmup * steps), lower)
    if recipe.schedule == "one_cycle":
        return OneCycleLearningRate(upper, steps)
    return CyclicLearningRate(lower or upper / 10, upper, recipe.step_size, recipe.schedule)


def rate_at(recipe: Recipe, steps: int, step: int) -> float:
    """The learning rate at one step.

    Args:
        recipe: schedule and rates.
        steps: of the whole run.
        step: counted from 0.
    """
    rate = learning_rate(recipe, steps)
    return rate if isinstance(rate, float) else float(rate(step))


def make_optimizer(recipe: Recipe, steps: int, factor: float = 1.0) -> keras.optimizers.Optimizer:
    """The optimizer of a run; biases have no weight decay.

    Args:
        recipe: optimizer, schedule, rates, momentum and weight decay.
        steps: of the whole run.
        factor: that multiplies the learning rate.
    """
    rate = learning_rate(recipe, steps, factor)
    if recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(
            rate, momentum=recipe.momentum, nesterov=True, weight_decay=recipe.weight_decay, clipnorm=None
        )
    else:
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
