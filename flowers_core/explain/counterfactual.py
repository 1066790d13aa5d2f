"""Counterfactual explanation: the fewest positions to replace by positions of a photo of B until the answer is B.

Goyal et al. 2019, "Counterfactual Visual Explanations", ICML (arXiv 1904.07451), search greedily for the positions of
the last feature map. With global average pooling and one linear layer no search is needed. Replacing position i of the
photo by position j of the other photo changes the gap (logit of B) − (logit of the answer) by

    (B_j − A_i) · d / (h·w),    d = W_B − W_answer

The two terms are independent, so the best n replacements take the n positions of the photo that speak most for the
answer and the n positions of the other photo that speak most for B. No other n close the gap further.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.cam import class_weights
from flowers_core.explain.explanation import FloatArray

Position = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Exchange:
    """The replacements that change the answer.

    Attributes:
        label: the model's answer, 1…classes.
        rival: what the answer becomes.
        pairs: ((row, column) of the photo, (row, column) of the other photo that replaces it). The logits do not depend
            on the pairing, so the most similar positions are paired.
        gaps: (n + 1,) float64, (logit of the rival) − (logit of the label) after 0…n replacements, in the order of
            their effect.
        logits: (classes,) float64, after all replacements.
    """

    label: int
    rival: int
    pairs: tuple[tuple[Position, Position], ...]
    gaps: npt.NDArray[np.float64]
    logits: npt.NDArray[np.float64]


def least_exchange(
    features: FloatArray, other: FloatArray, head: FloatArray, bias: FloatArray, rival: int
) -> Exchange | None:
    """The fewest replacements, in the order of their effect on the gap, after which the model's answer is the rival.

    Args:
        features: (h, w, c), of the photo.
        other: (h, w, c), of a photo that the model calls `rival`.
        head: (c, classes), the linear layer's weights; column j is label j + 1.
        bias: (classes,), the linear layer's.
        rival: 1…classes.

    Returns:
        The exchange, without pairs if the photo's answer is the rival already. None if no number of replacements
        changes the answer to the rival.

    Raises:
        ValueError: if the shapes differ, or there is no such label.
    """
    if features.ndim != 3 or features.shape != other.shape:
        raise ValueError(f"The two feature maps must be (h, w, c) and alike, not {features.shape} and {other.shape}.")
    columns = features.shape[1]
    ours, theirs = (maps.reshape(-1, maps.shape[-1]).astype(np.float64) for maps in (features, other))
    before = ours.mean(axis=0) @ head + bias
    label = int(before.argmax()) + 1
    direction = class_weights(head, rival) - class_weights(head, label)
    out = np.argsort(ours @ direction, kind="stable")
    into = np.argsort(-(theirs @ direction), kind="stable")
    changes = np.cumsum((theirs[into] - ours[out]) @ head.astype(np.float64), axis=0) / len(ours)
    logits = np.concatenate([before[None], before + changes])
    turned = np.flatnonzero(logits.argmax(axis=1) == rival - 1)
    if not turned.size:
        return None
    count = int(turned[0])
    pairs = _most_similar(ours[out[:count]], theirs[into[:count]])
    return Exchange(
        label=label,
        rival=rival,
        pairs=tuple(
            (_position(out[mine], columns), _position(into[partner], columns)) for mine, partner in enumerate(pairs)
        ),
        gaps=(logits[:, rival - 1] - logits[:, label - 1])[: count + 1],
        logits=logits[count],
    )


def _most_similar(ours: FloatArray, theirs: FloatArray) -> list[int]:
    """For each row of ours, (n, c), its partner in theirs, in the matching with the largest sum of cosines."""
    from scipy.optimize import linear_sum_assignment

    lengths = np.outer(np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1))
    cosine = np.divide(ours @ theirs.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return [int(partner) for partner in linear_sum_assignment(cosine, maximize=True)[1]]


def _position(index: int, columns: int) -> Position:
    return int(index) // columns, int(index) % columns
