"""The trainable weights of a partitioned network, read and set together, and the network's score with given ones."""

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.networks.compiled import compiled, in_batches
from flowers_core.training.averaging import Weights


class TrainableWeights:
    """The trainable weights of a tail.

    Attributes:
        variables: in the order of every list of weights in this room and in checkpoints; the head's come last.
        body, head: which of them are the backbone's and which the head's.
    """

    def __init__(self, tail: keras.Model, head: keras.Layer) -> None:
        """Find them.

        Args:
            tail: the part of the network that learns.
            head: its linear layer.
        """
        of_head = set(map(id, head.trainable_variables))
        self.variables: list[keras.Variable] = sorted(tail.trainable_variables, key=lambda v: id(v) in of_head)
        self.head = slice(len(self.variables) - len(of_head), None)
        self.body = slice(0, self.head.start)
        self._predict = compiled(tail)

    def get(self) -> Weights:
        """A copy of them."""
        return [variable.numpy() for variable in self.variables]

    def assign(self, weights: Weights) -> None:
        """Set them."""
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def score(self, weights: Weights, inputs: NDArray, labels: NDArray[np.integer]) -> tuple[float, float]:
        """Accuracy, and mean log-likelihood in nats, with given weights; the present ones are restored afterwards.

        Args:
            weights: as `get` gives them.
            inputs: (n, …), the output of the frozen layers.
            labels: (n,), 0…classes − 1.
        """
        present = self.get()
        self.assign(weights)
        logits = in_batches(self._predict, inputs).astype(np.float64)
        self.assign(present)
        shifted = logits - logits.max(axis=1, keepdims=True)
        likelihood = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))
        return float((logits.argmax(axis=1) == labels).mean()), float(likelihood.mean())
