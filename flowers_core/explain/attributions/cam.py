"""The closed forms: which positions of the photo the model's own arithmetic takes its answer from.

The classifier ends in global average pooling and one linear layer. With features A (h × w × c), embedding e = mean(A)
and head W (c × classes), a logit without its bias is Σ_ij A_ij · W_k / (h·w): it splits exactly into a part for each
position. That is CAM (Zhou et al. 2016, arXiv 1512.04150), and before its ReLU also Grad-CAM at that layer, whose
gradient is the constant W_k / (h·w) here (Selvaraju et al. 2017, arXiv 1610.02391). The same split holds for all that
is linear in e: the gap between two classes, and the cosine to another photo's embedding.

No gradient and no second forward pass: the features of the pass that named the flower are all it takes. Negative parts
are kept, so that the parts add up; ReLU is a matter of drawing.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import (
    Box,
    ClassTarget,
    ContrastTarget,
    Explanation,
    FloatArray,
    NeighbourTarget,
    Target,
)

METHOD = "cam"


def class_evidence(
    features: FloatArray, head: FloatArray, label: int, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Why this class: each position's part of logit_label − bias_label.

    Args:
        features: (h, w, c), of one photo.
        head: (c, classes), the linear layer's weights; column j is label j + 1.
        label: 1…classes.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.

    Returns:
        Explanation in logits; `contributions` (h, w) sum to `value` = mean(features) · head[:, label − 1].

    Raises:
        ValueError: where the shapes do not fit or there is no such label.
    """
    started = time.perf_counter()
    direction = _column(head, label)
    return _explain(features, direction, ClassTarget(label), "logit", box, photo_size, started)


def class_contrast(
    features: FloatArray, head: FloatArray, label: int, rival: int, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Why `label` and not `rival`: each position's part of (logit − bias) of the one less that of the other.

    Args:
        features: (h, w, c), of one photo.
        head: (c, classes); column j is label j + 1.
        label: 1…classes.
        rival: 1…classes, another.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.

    Returns:
        Explanation in logits: positive parts speak for `label`, negative ones for `rival`.

    Raises:
        ValueError: where the shapes do not fit, a label does not exist, or the two are the same.
    """
    started = time.perf_counter()
    if label == rival:
        raise ValueError(f"A class cannot be set against itself (label {label}).")
    direction = _column(head, label) - _column(head, rival)
    return _explain(features, direction, ContrastTarget(label, rival), "logit", box, photo_size, started)


def neighbour_similarity(
    features: FloatArray, neighbour: FloatArray, photo_id: int, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Why this neighbour: each position's part of the cosine between the two photos' embeddings.

    Args:
        features: (h, w, c), of the photo in question.
        neighbour: (c,), the other photo's embedding, of any length (Gallery.vector).
        photo_id: the other photo's.
        box: ModelInput.box.
        photo_size: (width, height) of the photo in question.

    Returns:
        Explanation in cosine, −1…1. Where either embedding is all zeros, the cosine and every part are 0.

    Raises:
        ValueError: where the shapes do not fit.
    """
    started = time.perf_counter()
    embedding = features.mean(axis=(0, 1), dtype=np.float64)
    length = float(np.linalg.norm(embedding) * np.linalg.norm(neighbour.astype(np.float64)))
    direction = neighbour.astype(np.float64) / length if length > 0 else np.zeros(len(neighbour))
    return _explain(features, direction, NeighbourTarget(photo_id), "cosine", box, photo_size, started)


def _column(head: FloatArray, label: int) -> npt.NDArray[np.float64]:
    if head.ndim != 2:
        raise ValueError(f"The head must be (channels, classes), not {head.shape}.")
    if not 1 <= label <= head.shape[1]:
        raise ValueError(f"There is no label {label}: this model knows 1…{head.shape[1]}.")
    return head[:, label - 1].astype(np.float64)


def _explain(
    features: FloatArray,
    direction: npt.NDArray[np.float64],
    target: Target,
    unit: str,
    box: Box,
    photo_size: tuple[int, int],
    started: float,
) -> Explanation:
    """Split mean(features) · direction over the positions."""
    if features.ndim != 3 or direction.shape != features.shape[2:]:
        raise ValueError(f"Features {features.shape} do not fit a direction of shape {direction.shape}.")
    height, width, _ = features.shape
    contributions = features.astype(np.float64) @ direction / (height * width)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions.astype(np.float32),
        value=float(features.mean(axis=(0, 1), dtype=np.float64) @ direction),
        unit=unit,
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={"rows": height, "columns": width},
    )
