"""Score-CAM: each channel weighted by the probability that the model gives when only what the channel lights is shown.

Wang et al. 2020, "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks", arXiv 1910.01279.
No gradient: one look at the photo for each channel, so it runs on LiteRT. The channels that vary most over the photo
come first, and the rest can be left out ("Faster Score-CAM", as in tf-keras-vis).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import Box, Explanation, FloatArray, Target, to_photo
from flowers_core.explain.perturbation import BATCH, Logits, Pixels, Progress, ask

METHOD = "score_cam"
#: Of 1280; a few seconds.
DEFAULT_CHANNELS = 320


def explain_score_cam(
    logits: Logits,
    pixels: Pixels,
    activations: FloatArray,
    target: Target,
    *,
    box: Box,
    photo_size: tuple[int, int],
    channels: int | None = DEFAULT_CHANNELS,
    temperature: float = 1.0,
    layer: str = "features",
    progress: Progress | None = None,
) -> Explanation:
    """Σ_c probability(photo seen through channel c) · A_c.

    Args:
        logits: the model, such as Runtime.logits.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        activations: (h, w, c) of the photo: Forward.features, or Gradients.at_layer's at another layer.
        target: a class, or a class against another.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.
        channels: how many, those that vary most; None for all.
        temperature: of the softmax.
        layer: name of the layer that `activations` come from, for the record.
        progress: called with (looks done, looks); stops by returning False.

    Returns:
        Explanation in "relative": probabilities times activations, on no scale of their own.

    Raises:
        ExplanationStopped: where `progress` returned False.
        ValueError: where the shapes, the target or the number of channels cannot be.
    """
    started = time.perf_counter()
    if activations.ndim != 3:
        raise ValueError(f"The activations must be (h, w, c), not {activations.shape}.")
    if channels is not None and channels < 1:
        raise ValueError("Score-CAM needs a channel at least.")
    chosen = most_varied(activations, channels)
    weights = ask(logits, _versions(pixels, chosen), target, temperature, total=chosen.shape[-1], progress=progress)
    contributions = (chosen @ weights).astype(np.float32)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions,
        value=float(contributions.sum(dtype=np.float64)),
        unit="relative",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={"layer": layer, "channels": chosen.shape[-1], "temperature": temperature},
    )


def most_varied(activations: FloatArray, channels: int | None) -> FloatArray:
    """The channels with the greatest standard deviation over the photo, greatest first; all in their order for None."""
    if channels is None or channels >= activations.shape[-1]:
        return activations
    order = np.argsort(-activations.std(axis=(0, 1)), kind="stable")
    return activations[..., order[:channels]]


def channel_mask(activation: FloatArray, size: int) -> npt.NDArray[np.float32]:
    """One channel (h, w) laid over the model's input and stretched to 0…1, (size, size); all 0 where it is flat."""
    laid = to_photo(activation, (0, 0, size, size), (size, size))
    low, high = laid.min(), laid.max()
    # The small number is Keras' epsilon, as in tf-keras-vis: it keeps a flat channel from dividing by zero.
    return (laid - low) / (high - low + 1e-7)


def _versions(pixels: Pixels, activations: FloatArray) -> Iterator[Pixels]:
    """The photo darkened by each channel's mask, in batches."""
    size = pixels.shape[0]
    photo = pixels.astype(np.float32)
    for begin in range(0, activations.shape[-1], BATCH):
        batch = range(begin, min(begin + BATCH, activations.shape[-1]))
        masks = np.stack([channel_mask(activations[..., channel], size) for channel in batch])
        yield np.rint(photo * masks[..., None]).astype(np.uint8)
