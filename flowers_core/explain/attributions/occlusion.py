"""Occlusion: slide a patch over the photo, and see where hiding it costs the class its probability.

Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", arXiv 1311.2901. Nothing is drawn at
random and nothing about the model is assumed; what is found is no finer than the patch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import Box, Explanation, Target
from flowers_core.explain.perturbation import BATCH, Logits, Pixels, Progress, ask

METHOD = "occlusion"
#: Shares of the photo's side. With these the patch takes 12 × 12 places.
DEFAULT_PATCH = 3 / 14
DEFAULT_STRIDE = 1 / 14
GREY = 128
#: A place whose hiding costs less than a tenth of a percentage point has no effect worth drawing.
FLOOR = 0.001


def explain_occlusion(
    logits: Logits,
    pixels: Pixels,
    target: Target,
    *,
    box: Box,
    photo_size: tuple[int, int],
    patch: float = DEFAULT_PATCH,
    stride: float = DEFAULT_STRIDE,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Explanation:
    """By how much hiding each place lowers the probability: for each pixel the mean over the patches that cover it.

    Args:
        logits: the model, such as Runtime.logits.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        target: a class, or a class against another (then its share of the two's probability).
        box: ModelInput.box.
        photo_size: (width, height) of the photo.
        patch: side of the grey square, as a share of the photo's side, above 0 and at most 1.
        stride: from one place to the next, as a share of the side, above 0 and at most `patch`.
        temperature: of the softmax.
        progress: called with (looks done, looks); stops by returning False.

    Returns:
        Explanation in "probability", as fine as the model's input; negative where hiding helps. `value` is the mean
        over the pixels times their number, and of no meaning of its own: drops do not add up.

    Raises:
        ExplanationStopped: where `progress` returned False.
        ValueError: where patch, stride or target cannot be.
    """
    started = time.perf_counter()
    if not 0 < stride <= patch <= 1:
        raise ValueError("The patch must be above 0 and at most the whole side, and the stride at most the patch.")
    size = pixels.shape[0]
    side = max(1, round(patch * size))
    starts = patch_starts(size, side, max(1, round(stride * size)))
    corners = [(top, left) for top in starts for left in starts]

    def versions() -> Iterator[Pixels]:
        yield pixels[None]
        for begin in range(0, len(corners), BATCH):
            places = corners[begin : begin + BATCH]
            batch = np.repeat(pixels[None], len(places), axis=0)
            for photo, (top, left) in zip(batch, places, strict=True):
                photo[top : top + side, left : left + side] = GREY
            yield batch

    whole, *hidden = ask(logits, versions(), target, temperature, total=1 + len(corners), progress=progress)
    contributions = spread(corners, whole - np.array(hidden), side, size)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions,
        value=float(contributions.sum(dtype=np.float64)),
        unit="probability",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={
            "patch": side,
            "looks": 1 + len(corners),
            "temperature": temperature,
            "probability": float(whole),
            "largest_drop": float(whole - min(hidden)),
        },
        floor=FLOOR,
    )


def patch_starts(size: int, side: int, stride: int) -> list[int]:
    """Where patches begin along one side: every `stride` pixels, and one that ends with the photo."""
    last = size - side
    return [*range(0, last, stride), last]


def spread(
    corners: list[tuple[int, int]], drops: npt.NDArray[np.float64], side: int, size: int
) -> npt.NDArray[np.float32]:
    """For each pixel the mean drop of the patches that cover it, (size, size); every pixel must be covered."""
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for (top, left), drop in zip(corners, drops, strict=True):
        total[top : top + side, left : left + side] += drop
        count[top : top + side, left : left + side] += 1
    return (total / count).astype(np.float32)
