"""One training step: the loss, its gradient, and the optimizers that follow it."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flowers_core.training.optimizers import make_optimizer
from flowers_core.training.recipe import Recipe
from flowers_core.training.trainable_weights import TrainableWeights


class TrainingStep:
    """A compiled step of gradient descent on the cross-entropy; the head's learning rate is its own.

    Args:
        tail: what is computed at every step, from the features that leave the frozen layers to the logits.
        weights: its trainable weights.
        recipe: optimizer, schedule, rates, largest gradient.
        steps: of the whole run.
    """

    def __init__(self, tail: keras.Model, weights: TrainableWeights, recipe: Recipe, steps: int) -> None:
        self._tail, self._weights, self._recipe = tail, weights, recipe
        parts = [(weights.body, 1.0)] if weights.body.stop else []
        parts.append((weights.head, recipe.head_rate))
        self._optimizers = [(part, factor, make_optimizer(recipe, steps, factor)) for part, factor in parts]
        for part, _, optimizer in self._optimizers:
            optimizer.build(weights.variables[part])
        self._compiled = tf.function(self._step, autograph=False, reduce_retracing=True)

    def __call__(
        self, features: NDArray, targets: NDArray[np.float32], labels: NDArray[np.integer]
    ) -> tuple[float, int]:
        """Make one step on a batch: (n, …) features, (n, classes) target probabilities, (n,) labels.

        Returns:
            The loss in nats a photo, and how many photos were right, both with the weights before the step.
        """
        loss, correct = self._compiled(
            tf.constant(features), tf.constant(targets), tf.constant(labels.astype(np.int64))
        )
        return float(loss), int(correct)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the backbone, and the head's with it, where the schedule is constant."""
        for _, factor, optimizer in self._optimizers:
            optimizer.learning_rate.assign(rate * factor)

    @property
    def variables(self) -> list[keras.Variable]:
        """The optimizers' own variables, step counts included, in the order of checkpoints."""
        return [variable for _, _, optimizer in self._optimizers for variable in optimizer.variables]

    def _step(self, features: tf.Tensor, targets: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        variables = self._weights.variables
        with tf.GradientTape() as tape:
            logits = self._tail(tf.cast(features, tf.float32), training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        gradients = tape.gradient(loss, variables)
        if self._recipe.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self._recipe.clip_norm)
        for part, _, optimizer in self._optimizers:
            optimizer.apply(gradients[part], variables[part])
        return loss, tf.math.count_nonzero(tf.argmax(logits, axis=1) == labels)
