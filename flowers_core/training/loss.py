"""One training step: the loss, its gradient, and the optimizers that follow it."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from flowers_core.networks.classifier import EMBEDDING
from flowers_core.training.forgetting import ImagenetHead, divergence
from flowers_core.training.optimizers import make_optimizer
from flowers_core.training.partition import Partition
from flowers_core.training.recipe import Recipe
from flowers_core.training.trainable_weights import TrainableWeights


class TrainingStep:
    """A compiled step of gradient descent, with separate learning rates for backbone and head.

    The loss is the cross-entropy with the targets, plus `Recipe.lwf_weight` times the divergence from the pretrained
    answers. Before each step, `Recipe.l2_sp` pulls the backbone's weights towards their values at construction.

    Args:
        classifier, partition: the network and its parts.
        weights: the trainable weights of its tail.
        recipe: optimizer, schedule, learning rates, gradient clipping and regularization.
        steps: of the whole run.
        imagenet_head: required exactly where the recipe learns without forgetting.
    """

    def __init__(
        self,
        classifier: keras.Model,
        partition: Partition,
        weights: TrainableWeights,
        recipe: Recipe,
        steps: int,
        imagenet_head: ImagenetHead | None = None,
    ) -> None:
        self._weights, self._recipe, self._imagenet_head = weights, recipe, imagenet_head
        self._tail = partition.tail
        if imagenet_head is not None:
            outputs = [classifier.output, classifier.get_layer(EMBEDDING).output]
            self._tail = keras.Model(classifier.get_layer(partition.freeze_point).output, outputs)
        self._pretrained = [tf.constant(variable.numpy()) for variable in weights.variables[weights.body]]
        parts = [(weights.body, 1.0)] if weights.body.stop else []
        parts.append((weights.head, recipe.head_rate))
        self._optimizers = [(part, factor, make_optimizer(recipe, steps, factor)) for part, factor in parts]
        for part, _, optimizer in self._optimizers:
            optimizer.build(weights.variables[part])
        self._compiled = tf.function(self._step, autograph=False, reduce_retracing=True)

    def __call__(
        self,
        features: NDArray,
        targets: NDArray[np.float32],
        labels: NDArray[np.integer],
        pretrained: NDArray[np.floating] | None = None,
    ) -> tuple[float, int]:
        """Make one step on a batch.

        Args:
            features: (n, …).
            targets: probabilities (n, classes).
            labels: (n,).
            pretrained: the pretrained network's logits (n, 1000), where the step has an ImageNet head.

        Returns:
            The loss in nats a photo, and how many photos were right, both with the weights before the step.
        """
        loss, correct = self._compiled(
            tf.constant(features),
            tf.constant(targets),
            tf.constant(labels.astype(np.int64)),
            None if pretrained is None else tf.constant(pretrained.astype(np.float32)),
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

    def _step(
        self, features: tf.Tensor, targets: tf.Tensor, labels: tf.Tensor, pretrained: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        variables = self._weights.variables
        with tf.GradientTape() as tape:
            found = self._tail(tf.cast(features, tf.float32), training=True)
            logits = found if self._imagenet_head is None else found[0]
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
            if self._imagenet_head is not None:
                answers = found[1] @ self._imagenet_head.kernel + self._imagenet_head.bias
                loss += self._recipe.lwf_weight * divergence(pretrained, answers)
        gradients = tape.gradient(loss, variables)
        if self._recipe.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self._recipe.clip_norm)
        if self._recipe.l2_sp:
            self._pull_back()
        for part, _, optimizer in self._optimizers:
            optimizer.apply(gradients[part], variables[part])
        return loss, tf.math.count_nonzero(tf.argmax(logits, axis=1) == labels)

    def _pull_back(self) -> None:
        """L2-SP (Li et al. 2018, arXiv 1802.01483), decoupled from the gradient as AdamW's weight decay is."""
        pull = self._optimizers[0][2].learning_rate * self._recipe.l2_sp
        body = self._weights.variables[self._weights.body]
        for variable, start in zip(body, self._pretrained, strict=True):
            variable.assign_sub(pull * (variable - start))
