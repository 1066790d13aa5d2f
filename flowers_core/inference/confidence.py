"""What one forward pass tells about whether its answer is right, and what follows for the other classes.

The top probability is one witness. Others know what it does not: where the photo lies among the classes in the space of
embeddings (`inference.discriminant`), and what the surest position of the feature map says by itself.
`inference.confidence_model` makes one probability of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.inference.bundle import Bundle
from flowers_core.inference.confidence_model import MOST_NATS
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.prediction import log_softmax, softmax
from flowers_core.inference.runtime import Forward
from flowers_core.storage.npz import read_npz

DISCRIMINANT_FILE = "discriminants.npz"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one forward pass tells about the answers to n photos.

    Attributes:
        logits: (n, classes) float32.
        embeddings: (n, c) float32.
        surest: (n,) float32, the answer's log-odds at the position of the feature map that is surest of it.
    """

    logits: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    surest: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.logits)

    def select(self, where: NDArray[np.bool_] | NDArray[np.integer]) -> Evidence:
        """The photos where a boolean array is true, or those at the given rows."""
        return Evidence(self.logits[where], self.embeddings[where], self.surest[where])


def evidence_of(forward: Forward, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> Evidence:
    """The evidence of a forward pass.

    Args:
        forward: the outputs for n photos.
        weights: (c, classes), the head's.
        bias: (classes,), the head's.
    """
    photos, channels = len(forward), forward.features.shape[-1]
    local = forward.features.reshape(photos, -1, channels) @ weights + bias
    answers = forward.logits.argmax(axis=1)
    log_odds = _log_odds(log_softmax(local)[np.arange(photos), :, answers])
    return Evidence(forward.logits, forward.embedding, log_odds.max(axis=1).astype(np.float32))


def signals_of(evidence: Evidence, space: DiscriminantSpace) -> NDArray[np.float64]:
    """The `SIGNALS` of n answers.

    Args:
        evidence: of the n photos.
        space: of the network.

    Returns:
        (n, 5) float64.
    """
    rows, answers = np.arange(len(evidence)), evidence.logits.argmax(axis=1)
    margin = evidence.logits[rows, answers] - np.partition(evidence.logits, -2, axis=1)[:, -2]
    cosines = space.cosines(evidence.embeddings)
    of_answer = cosines[rows, answers]
    cosines[rows, answers] = -np.inf
    distances = space.distances(evidence.embeddings)[rows, answers]
    return np.stack(
        [
            margin,
            _log_odds(log_softmax(evidence.logits)[rows, answers]),
            of_answer - cosines.max(axis=1),
            -np.log(np.maximum(distances, 1e-6)),
            evidence.surest,
        ],
        axis=1,
    ).astype(np.float64)


def tempered(logits: ArrayLike, confidence: ArrayLike) -> NDArray[np.float64]:
    """The probabilities of all classes whose largest is the confidence: each photo gets a temperature of its own.

    Args:
        logits: (n, classes).
        confidence: (n,) in (0, 1). It cannot be less than 1 / classes: below that all classes are equally probable.

    Returns:
        (n, classes) float64, rows sum to 1, in the order of the logits.
    """
    values, wanted = np.asarray(logits, np.float64), np.asarray(confidence, np.float64)
    low, high = np.full(len(values), -10.0), np.full(len(values), 10.0)  # of the temperature's logarithm
    scaled = values - values.max(axis=1, keepdims=True)
    for _ in range(40):
        middle = (low + high) / 2
        top = 1 / np.exp(scaled / np.exp(middle)[:, None]).sum(axis=1)
        low, high = np.where(top > wanted, middle, low), np.where(top > wanted, high, middle)
    return softmax(scaled / np.exp(high)[:, None])


def _log_odds(log_probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    against = np.log(-np.expm1(np.minimum(log_probabilities, -1e-9)))
    return np.clip(log_probabilities - against, -MOST_NATS, MOST_NATS)


def discriminant_space(bundle: Bundle) -> DiscriminantSpace:
    """The space of a bundle's network. Raises BundleError where the bundle lacks it."""
    stored = read_npz(bundle.path(DISCRIMINANT_FILE))
    names = ("prototypes", "scale", "mean", "projection")
    return DiscriminantSpace(*(stored[name].astype(np.float32) for name in names))
