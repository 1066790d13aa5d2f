"""Occlusion: slide a grey patch over the photo, and measure where it lowers the probability of the class.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", arXiv 1311.2901. The method draws
nothing at random and assumes nothing about the model. Its map is no finer than the patch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import Explanation, Target
from flowers_core.explain.perturbation import BATCH, Progress, perturbed_probabilities
from flowers_core.explain.subject import Pixels, Subject

METHOD = "occlusion"
#: Fractions of the photo's side; together they make 12 × 12 patches.
DEFAULT_PATCH = 3 / 14
DEFAULT_STRIDE = 1 / 14
GREY = 128
#: An effect below a tenth of a percentage point is not worth drawing.
EPSILON = 0.001


def explain_occlusion(
    subject: Subject,
    target: Target,
    *,
    patch: float = DEFAULT_PATCH,
    stride: float = DEFAULT_STRIDE,
    progress: Progress | None = None,
) -> Explanation:
    """By how much a patch lowers the probability: for each pixel the mean over the patches that cover it.

    Args:
        subject: the photo and the model.
        target: a class, or a class against another.
        patch: side of the grey square, as a fraction of the photo's side, in (0, 1].
        stride: from one patch to the next, as a fraction of the side, in (0, patch].
        progress: called with (forward passes done, in all); False stops.

    Returns:
        Explanation in "probability", (s, s), as fine as the model's input; negative if hiding a pixel helps. `value`
        is the sum over the pixels and has no meaning of its own: effects of patches do not add up.

    Raises:
        ExplanationStopped: if `progress` returned False.
        ValueError: if patch, stride or target is out of range.
    """
    started = time.perf_counter()
    if not 0 < stride <= patch <= 1:
        raise ValueError("The patch must be above 0 and at most the whole side, and the stride at most the patch.")
    size = subject.size
    side = max(1, round(patch * size))
    starts = patch_starts(size, side, max(1, round(stride * size)))
    corners = [(top, left) for top in starts for left in starts]
    passes = 1 + len(corners)
    whole, *hidden = perturbed_probabilities(
        subject.logits,
        _occluded(subject.pixels, corners, side),
        target,
        subject.temperature,
        total=passes,
        progress=progress,
    )
    contributions = mean_over_patches(corners, whole - np.array(hidden), side, size)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions,
        value=float(contributions.sum(dtype=np.float64)),
        unit="probability",
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={
            "patch": side,
            "forward_passes": passes,
            "temperature": subject.temperature,
            "probability": float(whole),
            "largest_drop": float(whole - min(hidden)),
        },
        epsilon=EPSILON,
    )


def patch_starts(size: int, side: int, stride: int) -> list[int]:
    """Where patches begin along one side: every `stride` pixels, and one that ends with the photo.

    Args:
        size: of the photo, in pixels.
        side: of a patch, in pixels.
        stride: from one patch to the next, in pixels.
    """
    last = size - side
    return [*range(0, last, stride), last]


def mean_over_patches(
    corners: list[tuple[int, int]], drops: npt.NDArray[np.float64], side: int, size: int
) -> npt.NDArray[np.float32]:
    """For each pixel the mean drop of the patches that cover it; every pixel must be covered.

    Args:
        corners: (top, left) of each patch, in pixels.
        drops: (patches,), of the probability.
        side: of a patch, in pixels.
        size: of the photo, in pixels.

    Returns:
        (size, size) float32.
    """
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for (top, left), drop in zip(corners, drops, strict=True):
        total[top : top + side, left : left + side] += drop
        count[top : top + side, left : left + side] += 1
    return (total / count).astype(np.float32)


def _occluded(pixels: Pixels, corners: list[tuple[int, int]], side: int) -> Iterator[Pixels]:
    """The photo as it is, then batches of it with one patch hidden."""
    yield pixels[None]
    for begin in range(0, len(corners), BATCH):
        chosen = corners[begin : begin + BATCH]
        batch = np.repeat(pixels[None], len(chosen), axis=0)
        for photo, (top, left) in zip(batch, chosen, strict=True):
            photo[top : top + side, left : left + side] = GREY
        yield batch
