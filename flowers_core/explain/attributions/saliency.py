"""Saliency with SmoothGrad: how much the score leans on each pixel, averaged over noisy copies of the photo.

Simonyan, Vedaldi and Zisserman 2014, "Deep Inside Convolutional Networks", arXiv 1312.6034; Smilkov et al. 2017,
"SmoothGrad: removing noise by adding noise", arXiv 1706.03825. As tf-keras-vis has it: the absolute gradient is
averaged, and of the three colours the largest taken.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from flowers_core.explain.attributions.gradients import Gradients
from flowers_core.explain.explanation import Box, Explanation, Target
from flowers_core.explain.perturbation import Progress, report

METHOD = "saliency"
DEFAULT_SAMPLES = 16
DEFAULT_NOISE = 0.2
_BATCH = 4


def explain_saliency(
    gradients: Gradients,
    pixels: npt.NDArray[np.uint8],
    target: Target,
    *,
    box: Box,
    photo_size: tuple[int, int],
    samples: int = DEFAULT_SAMPLES,
    noise: float = DEFAULT_NOISE,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """The mean over noisy copies of |∂score/∂pixel|, the largest over the colours.

    Args:
        gradients: of the classifier, at any layer.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        target: a class, or a class against another.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.
        samples: noisy copies; 0 takes the photo itself once (plain saliency, which is noise to the eye).
        noise: standard deviation as a share of the range between the photo's least and greatest value.
        seed: of the noise.
        progress: called with (copies done, copies); stops by returning False.

    Returns:
        Explanation in logits per grey level, as fine as the model's input; never negative: a pixel that matters, not
        one that speaks for the target.

    Raises:
        ExplanationStopped: where `progress` returned False.
        ValueError: as Gradients.at_photo, or where samples or noise are negative.
    """
    started = time.perf_counter()
    if samples < 0 or noise < 0:
        raise ValueError("SmoothGrad needs no fewer than 0 samples and no less than no noise.")
    copies = noisy_copies(pixels, samples, noise, seed) if samples else pixels[None].astype(np.float32)
    total = np.zeros(pixels.shape)
    report(progress, 0, len(copies))
    for begin in range(0, len(copies), _BATCH):
        batch = copies[begin : begin + _BATCH]
        total += np.abs(gradients.at_photo(batch, target)).sum(axis=0)
        report(progress, begin + len(batch), len(copies))
    contributions = (total / len(copies)).max(axis=-1)
    return Explanation(
        method=METHOD,
        target=target,
        contributions=contributions.astype(np.float32),
        value=float(contributions.sum()),
        unit="logit per grey level",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={"samples": samples, "noise": noise},
        seed=seed if samples else None,
    )


def noisy_copies(pixels: npt.NDArray[np.uint8], samples: int, noise: float, seed: int) -> npt.NDArray[np.float32]:
    """Copies of a photo with normal noise added, (samples, s, s, 3) float32; they may leave 0…255."""
    spread = noise * (float(pixels.max()) - float(pixels.min()))
    draws = np.random.default_rng(seed).standard_normal((samples, *pixels.shape), dtype=np.float32)
    return pixels + spread * draws
