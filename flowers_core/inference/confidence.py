"""What one forward pass tells about whether its answer is right, and what follows for the other classes.

The top probability is one witness. Others know what it does not: where the photo lies among the classes in the space of
embeddings (`inference.discriminant`), and what the surest position of the feature map says by itself.
`inference.confidence_model` makes one probability of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.inference.bundle import Bundle
from flowers_core.inference.confidence_model import MOST_NATS
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.prediction import softmax
from flowers_core.inference.runtime import Forward
from flowers_core.storage.npz import read_npz

DISCRIMINANT_FILE = "discriminants.npz"
# A probability, or a difference of nats, that makes none; and where the search for a temperature ends.
_LEAST, _MOST_STEPS, _INVERSE_TEMPERATURES = 1e-9, 30, (exp(-10), exp(10))


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


def evidence_of(
    forward: Forward,
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    *,
    without: NDArray[np.integer] | None = None,
) -> Evidence:
    """The evidence of a forward pass.

    Args:
        forward: the outputs for n photos.
        weights: (c, classes), the head's.
        bias: (classes,), the head's.
        without: (n,) columns, of each photo the class that the head is to lack: its logit is −∞. The head then has at
            least three.
    """
    photos, channels = len(forward), forward.features.shape[-1]
    local, logits = forward.features.reshape(photos, -1, channels) @ weights + bias, forward.logits
    if without is not None:
        rows, logits = np.arange(photos), logits.copy()
        logits[rows, without] = -np.inf
        local[rows, :, without] = -np.inf
    answers = logits.argmax(axis=1)
    log_odds = _log_odds(local, np.broadcast_to(answers[:, None], local.shape[:2]))
    return Evidence(logits, forward.embedding, log_odds.max(axis=1).astype(np.float32))


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
            _log_odds(evidence.logits, answers),
            of_answer - cosines.max(axis=1),
            -np.log(np.maximum(distances, 1e-6)),
            evidence.surest,
        ],
        axis=1,
    ).astype(np.float64)


def tempered(logits: ArrayLike, confidence: ArrayLike) -> NDArray[np.float64]:
    """The probabilities of all classes whose largest is the confidence: each photo gets a temperature of its own.

    Args:
        logits: (n, classes), finite.
        confidence: (n,) in (0, 1). It cannot be less than 1 / classes: below that all classes are equally probable.

    Returns:
        (n, classes) float64, rows sum to 1, in the order of the logits.
    """
    values, wanted = np.asarray(logits, np.float64), np.clip(np.asarray(confidence, np.float64), _LEAST, 1 - _LEAST)
    scaled = values - values.max(axis=1, keepdims=True)
    below = np.ones(scaled.shape, bool)
    below[np.arange(len(scaled)), scaled.argmax(axis=1)] = False
    others = scaled[below].reshape(len(scaled), scaled.shape[1] - 1)
    target = np.log(wanted) - np.log1p(-wanted)
    # The log-odds of the top class are concave in the inverse temperature, and nearly linear where it is sure. So
    # Newton's steps from 0, where all classes are equally probable, approach the solution from below.
    inverse = np.zeros(len(scaled))
    for _ in range(_MOST_STEPS):
        terms = np.exp(inverse[:, None] * others)
        sums = terms.sum(axis=1)
        lacking = target + np.log(sums)
        if (np.abs(lacking) < _LEAST).all():
            break
        slopes = -(terms * others).sum(axis=1) / sums
        inverse = np.clip(inverse + lacking / np.maximum(slopes, _LEAST), *_INVERSE_TEMPERATURES)
    return softmax(scaled * inverse[:, None])


def _log_odds(logits: NDArray[np.floating], columns: NDArray[np.integer]) -> NDArray[np.floating]:
    """The log-odds (…) of one class of each row of logits (…, classes), at most `MOST_NATS` either way."""
    own = np.take_along_axis(logits, columns[..., None], axis=-1)
    others = logits.copy()
    np.put_along_axis(others, columns[..., None], -np.inf, axis=-1)
    highest = others.max(axis=-1, keepdims=True)
    against = highest + np.log(np.exp(others - highest).sum(axis=-1, keepdims=True))
    return np.clip(own - against, -MOST_NATS, MOST_NATS)[..., 0]


def discriminant_space(bundle: Bundle) -> DiscriminantSpace:
    """The space of a bundle's network. Raises BundleError where the bundle lacks it."""
    stored = read_npz(bundle.path(DISCRIMINANT_FILE))
    names = ("prototypes", "scale", "mean", "projection")
    return DiscriminantSpace(*(stored[name].astype(np.float32) for name in names))
