"""The part of a network that learns: its weights, all at once, and how well it does with given ones."""

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.training.averaging import Weights
from flowers_core.training.feature_cache import in_batches, run_network


class Learner:
    """The tail of a split network.

    variables: what learns, in the order of every list of weights here and in checkpoints, the head's last. head: those.
    """

    def __init__(self, tail: keras.Model, head: keras.Layer) -> None:
        own = set(map(id, head.trainable_variables))
        self.variables: list[keras.Variable] = sorted(tail.trainable_variables, key=lambda v: id(v) in own)
        self.head = slice(len(self.variables) - len(own), None)
        self.body = slice(0, self.head.start)
        self._predict = run_network(tail)

    def weights(self) -> Weights:
        """A copy of them."""
        return [variable.numpy() for variable in self.variables]

    def assign(self, weights: Weights) -> None:
        """Set them."""
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def score(self, weights: Weights, inputs: NDArray, labels: NDArray[np.integer]) -> tuple[float, float]:
        """The share of inputs named rightly, and minus the mean negative log-likelihood, with these weights.

        inputs: (n, …) as they pass the cut. labels: (n,), 0…classes − 1. The weights are as before afterwards.
        """
        kept = self.weights()
        self.assign(weights)
        logits = in_batches(self._predict, inputs).astype(np.float64)
        self.assign(kept)
        shifted = logits - logits.max(axis=1, keepdims=True)
        likelihood = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))
        return float((logits.argmax(axis=1) == labels).mean()), float(likelihood.mean())
