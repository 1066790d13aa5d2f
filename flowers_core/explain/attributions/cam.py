"""CAM in closed form: how much each position of the photo contributes to the answer.

The classifier ends in global average pooling and one linear layer. With features A (h × w × c), embedding e = mean(A)
and head W (c × classes), a logit without its bias is Σ_ij A_ij · W_k / (h·w): a sum over positions, exactly. That is
CAM (Zhou et al. 2016, arXiv 1512.04150). Before its ReLU it is also Grad-CAM at that layer, because the gradient is the
constant W_k / (h·w) (Selvaraju et al. 2017, arXiv 1610.02391). Whatever is linear in e splits in the same way: the gap
between two logits, and the cosine to another photo's embedding.

It takes neither a gradient nor a second forward pass. Negative contributions are kept, so that the sum holds; drawing
may leave them out.
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
    check_label,
)
from flowers_core.explain.subject import Subject

METHOD = "cam"
#: Why a neighbour is refused by the methods that explain logits.
ONLY_CLASSES = "This method explains a class, or a class against another, not a neighbour."


def explain_cam(subject: Subject, target: Target) -> Explanation:
    """Each position's contribution to a logit, or to the gap between two: `class_evidence` or `class_contrast`.

    Args:
        subject: the photo and the model; only its features, head and frame are used.
        target: a class, or a class against another.

    Returns:
        Explanation in "logit", (h, w).

    Raises:
        ValueError: if there is no such label, or the target is a neighbour.
    """
    if isinstance(target, ClassTarget):
        return class_evidence(subject.features, subject.head, target.label, **subject.frame)
    if isinstance(target, ContrastTarget):
        return class_contrast(subject.features, subject.head, target.label, target.rival, **subject.frame)
    raise ValueError(ONLY_CLASSES)


def class_evidence(
    features: FloatArray, head: FloatArray, label: int, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Why this class? Each position's contribution to logit_label − bias_label.

    Args:
        features: (h, w, c), of one photo.
        head: (c, classes), the linear layer's weights; column j is label j + 1.
        label: 1…classes.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.

    Returns:
        Explanation in logits; `contributions` (h, w) sum to `value` = mean(features) · head[:, label − 1].

    Raises:
        ValueError: if the shapes do not fit or there is no such label.
    """
    started = time.perf_counter()
    direction = class_weights(head, label)
    return _explain(features, direction, ClassTarget(label), "logit", box, photo_size, started)


def class_contrast(
    features: FloatArray, head: FloatArray, label: int, rival: int, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Why `label` and not `rival`? Each position's contribution to (logit − bias)_label − (logit − bias)_rival.

    Args:
        features: (h, w, c), of one photo.
        head: (c, classes); column j is label j + 1.
        label: 1…classes.
        rival: 1…classes, another.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.

    Returns:
        Explanation in logits: positive contributions speak for `label`, negative ones for `rival`.

    Raises:
        ValueError: if the shapes do not fit, a label does not exist, or the two are the same.
    """
    started = time.perf_counter()
    if label == rival:
        raise ValueError(f"A class cannot be set against itself (label {label}).")
    direction = class_weights(head, label) - class_weights(head, rival)
    return _explain(features, direction, ContrastTarget(label, rival), "logit", box, photo_size, started)


def neighbour_similarity(
    features: FloatArray, neighbour: FloatArray, photo_id: int, *, box: Box, photo_size: tuple[int, int]
) -> Explanation:
    """Why this neighbour? Each position's contribution to the cosine between the two photos' embeddings.

    Args:
        features: (h, w, c), of the photo in question.
        neighbour: (c,), the other photo's embedding, of any length (Gallery.vector).
        photo_id: the other photo's.
        box: ModelInput.box.
        photo_size: (width, height) of the photo in question.

    Returns:
        Explanation in cosine, −1…1. If either embedding is all zeros, the cosine and every contribution are 0.

    Raises:
        ValueError: if the shapes do not fit.
    """
    started = time.perf_counter()
    embedding = features.mean(axis=(0, 1), dtype=np.float64)
    length = float(np.linalg.norm(embedding) * np.linalg.norm(neighbour.astype(np.float64)))
    direction = neighbour.astype(np.float64) / length if length > 0 else np.zeros(len(neighbour))
    return _explain(features, direction, NeighbourTarget(photo_id), "cosine", box, photo_size, started)


def class_weights(head: FloatArray, label: int) -> npt.NDArray[np.float64]:
    """The head's weights of one class.

    Args:
        head: (c, classes), the linear layer's weights; column j is label j + 1.
        label: 1…classes.

    Returns:
        (c,) float64.

    Raises:
        ValueError: if the head is not (c, classes), or there is no such label.
    """
    if head.ndim != 2:
        raise ValueError(f"The head must be (channels, classes), not {head.shape}.")
    check_label(label, head.shape[1])
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
    """Split mean(features) · direction (c,) over the positions."""
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
