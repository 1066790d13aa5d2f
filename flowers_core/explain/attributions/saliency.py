"""Saliency with SmoothGrad: how strongly the score depends on each pixel, averaged over noisy copies of the photo.

Simonyan, Vedaldi and Zisserman 2014, "Deep Inside Convolutional Networks", arXiv 1312.6034; Smilkov et al. 2017,
"SmoothGrad: removing noise by adding noise", arXiv 1706.03825. As in tf-keras-vis, the map is the absolute gradient
averaged over the copies, and of the three colours the largest.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradients import gradients_of
from flowers_core.explain.explanation import Explanation, Target
from flowers_core.explain.perturbation import Progress, report_progress
from flowers_core.explain.subject import Pixels, Subject

METHOD = "saliency"
DEFAULT_SAMPLES = 16
DEFAULT_NOISE = 0.2
_BATCH = 4


def explain_saliency(
    subject: Subject,
    target: Target,
    *,
    samples: int = DEFAULT_SAMPLES,
    noise: float = DEFAULT_NOISE,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """The mean over noisy copies of |∂score/∂pixel|, the largest over the colours.

    Args:
        subject: the photo, and a model with gradients (at any layer).
        target: a class, or a class against another.
        samples: noisy copies; 0 takes the photo itself once (plain saliency, which is noise to the eye).
        noise: standard deviation, as a fraction of the range between the photo's least and greatest value.
        seed: of the noise.
        progress: called with (copies done, copies); False stops.

    Returns:
        Explanation in "logit per grey level", (s, s), as fine as the model's input. It is never negative: a bright
        pixel matters, for the target or against it.

    Raises:
        ExplanationStopped: if `progress` returned False.
        ValueError: as Gradients.at_photo, or if samples or noise are negative.
    """
    started = time.perf_counter()
    if samples < 0 or noise < 0:
        raise ValueError("samples and noise must not be negative.")
    gradients, pixels = gradients_of(subject), subject.pixels
    copies = noisy_copies(pixels, samples, noise, seed) if samples else pixels[None].astype(np.float32)
    total = np.zeros(pixels.shape)
    report_progress(progress, 0, len(copies))
    for begin in range(0, len(copies), _BATCH):
        batch = copies[begin : begin + _BATCH]
        total += np.abs(gradients.at_photo(batch, target)).sum(axis=0)
        report_progress(progress, begin + len(batch), len(copies))
    contributions = (total / len(copies)).max(axis=-1)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions.astype(np.float32),
        value=float(contributions.sum()),
        unit="logit per grey level",
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={"samples": samples, "noise": noise},
        seed=seed if samples else None,
    )


def noisy_copies(pixels: Pixels, samples: int, noise: float, seed: int) -> npt.NDArray[np.float32]:
    """Copies of a photo with normal noise added.

    Args:
        pixels: (s, s, 3) uint8.
        samples: how many copies.
        noise: standard deviation, as a fraction of the range between the photo's least and greatest value.
        seed: of the noise.

    Returns:
        (samples, s, s, 3) float32; values may lie outside 0…255.
    """
    spread = noise * (float(pixels.max()) - float(pixels.min()))
    draws = np.random.default_rng(seed).standard_normal((samples, *pixels.shape), dtype=np.float32)
    return pixels + spread * draws
