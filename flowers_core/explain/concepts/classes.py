"""What concepts say about classes: what each is worth to a class, what two classes share, what would settle a doubt.

A concept's share of a logit is its mean presence times (concept · W_class), so the mean share over a class's training
photos is the class's mean amount times the same number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowers_core.explain.concepts.concepts import Concepts
from flowers_core.explain.explanation import FloatArray

_TYPICAL, _LEAST = 3, 0.5


def worth(concepts: Concepts, head: FloatArray) -> npt.NDArray[np.float64]:
    """What each concept adds to a class's own logit in its training photos, on average, (classes, k), in logits.

    Args:
        concepts: k of them.
        head: (c, classes), the linear layer's weights.
    """
    return concepts.amounts * (concepts.dictionary.concepts @ head.astype(np.float64)).T


def typical(worths: FloatArray) -> list[int]:
    """The classes that a concept speaks for most: three at most, none worth less than half of the first.

    Args:
        worths: (classes,), what the concept is worth to each class, in logits.

    Returns:
        Their indices from 0, the most first; empty where it speaks for none.
    """
    first = [int(index) for index in np.argsort(-worths, kind="stable")[:_TYPICAL]]
    return [index for index in first if worths[index] > 0 and worths[index] >= _LEAST * worths[first[0]]]


def shared(worths: FloatArray, label: int, rival: int) -> npt.NDArray[np.float64]:
    """How much two classes lean on the same concept, (k,), in logits: the smaller of the two worths, not below 0.

    Args:
        worths: (classes, k), as from `worth`.
        label: the one class, from 1.
        rival: the other, from 1.
    """
    return np.maximum(np.minimum(worths[label - 1], worths[rival - 1]), 0)


def settling(
    concepts: Concepts, head: FloatArray, presence: npt.NDArray[np.float64], label: int, rival: int
) -> npt.NDArray[np.float64]:
    """How far `label` would pull ahead of `rival` if the photo had as much of each concept as photos of `label`, (k,).

    Args:
        concepts: k of them.
        head: (c, classes), the linear layer's weights.
        presence: (h, w, k), of the photo.
        label: the class that would be settled on, from 1.
        rival: the class that it is held against, from 1.

    Returns:
        In logits; 0 for what the photo has as much of already.
    """
    direction = (head[:, label - 1] - head[:, rival - 1]).astype(np.float64)
    missing = np.maximum(concepts.amounts[label - 1] - presence.mean(axis=(0, 1)), 0)
    return missing * (concepts.dictionary.concepts @ direction)
