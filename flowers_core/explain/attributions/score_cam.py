"""Score-CAM: each channel weighted by the probability of the photo seen through that channel.

Wang et al. 2020, "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks", arXiv 1910.01279.
It needs no gradient, only one forward pass for each channel, so it runs on LiteRT. Only the channels that vary most
over the photo are taken ("Faster Score-CAM", as in tf-keras-vis).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import Explanation, FloatArray, Target, to_photo
from flowers_core.explain.perturbation import BATCH, Progress, perturbed_probabilities
from flowers_core.explain.subject import Pixels, Subject

METHOD = "score_cam"
#: Of 1280; a few seconds.
DEFAULT_CHANNELS = 320


def explain_score_cam(
    subject: Subject,
    target: Target,
    *,
    activations: FloatArray | None = None,
    layer: str = "features",
    channels: int | None = DEFAULT_CHANNELS,
    progress: Progress | None = None,
) -> Explanation:
    """Σ_c probability(photo seen through channel c) · A_c.

    Args:
        subject: the photo and the model.
        target: a class, or a class against another.
        activations: (h, w, c) of the photo at another layer; by default the last feature map.
        layer: name of the layer of `activations`, for the record.
        channels: how many, those that vary most; None for all.
        progress: called with (forward passes done, in all); False stops.

    Returns:
        Explanation in "relative", (h, w): probabilities times activations, on no scale of their own.

    Raises:
        ExplanationStopped: if `progress` returned False.
        ValueError: if the activations have another shape, there is no channel, or the target is a neighbour.
    """
    started = time.perf_counter()
    activations = subject.features if activations is None else activations
    if activations.ndim != 3:
        raise ValueError(f"The activations must be (h, w, c), not {activations.shape}.")
    if channels is not None and channels < 1:
        raise ValueError("Score-CAM needs one channel or more.")
    chosen = most_varied(activations, channels)
    weights = perturbed_probabilities(
        subject.logits,
        _seen_through(subject.pixels, chosen),
        target,
        subject.temperature,
        total=chosen.shape[-1],
        progress=progress,
    )
    contributions = (chosen @ weights).astype(np.float32)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions,
        value=float(contributions.sum(dtype=np.float64)),
        unit="relative",
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={"layer": layer, "channels": chosen.shape[-1], "temperature": subject.temperature},
    )


def most_varied(activations: FloatArray, channels: int | None) -> FloatArray:
    """The channels with the greatest standard deviation over the photo, greatest first.

    Args:
        activations: (h, w, c).
        channels: how many; None, or c and more, keeps all in their order.

    Returns:
        (h, w, min(channels, c)).
    """
    if channels is None or channels >= activations.shape[-1]:
        return activations
    order = np.argsort(-activations.std(axis=(0, 1)), kind="stable")
    return activations[..., order[:channels]]


def channel_mask(activation: FloatArray, size: int) -> npt.NDArray[np.float32]:
    """One channel laid over the model's input and stretched to 0…1.

    Args:
        activation: (h, w).
        size: side of the model's input, in pixels.

    Returns:
        (size, size) float32; all 0 if the channel is constant.
    """
    laid = to_photo(activation, (0, 0, size, size), (size, size))
    low, high = laid.min(), laid.max()
    # The small number is Keras' epsilon, as in tf-keras-vis: it keeps a flat channel from dividing by zero.
    return (laid - low) / (high - low + 1e-7)


def _seen_through(pixels: Pixels, activations: FloatArray) -> Iterator[Pixels]:
    """The photo darkened by each channel's mask, in batches."""
    size = pixels.shape[0]
    photo = pixels.astype(np.float32)
    for begin in range(0, activations.shape[-1], BATCH):
        batch = range(begin, min(begin + BATCH, activations.shape[-1]))
        masks = np.stack([channel_mask(activations[..., channel], size) for channel in batch])
        yield np.rint(photo * masks[..., None]).astype(np.uint8)
