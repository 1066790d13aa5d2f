"""LIME: hide superpixels at random, watch the class's probability, and fit a linear model to what was seen.

Ribeiro, Singh and Guestrin, "Why Should I Trust You?", KDD 2016 (arXiv 1602.04938), made quick in three ways:

- samples are drawn where they count, from the weighted distribution itself (Tan, Tian and Li 2023, "GLIME", arXiv
  2311.15722), and then all weigh the same. With the kernel exp(−‖1 − mask‖²/σ²) that means to keep each superpixel on
  its own with probability 1/(1 + exp(−1/σ²)). They come in antithetic pairs: what one hides, the other shows, so that
  what superpixels do only together cancels out of the effect of each (as in Covert and Lee 2021, "Improving
  KernelSHAP", arXiv 2012.01536);
- sampling ends when the ranking of the strongest superpixels is settled (Zhou, Hooker and Wang 2021, "S-LIME", KDD,
  arXiv 2106.07875);
- the model sees the samples in batches.

With `sampling="uniform"` and `settle=0` it is the `lime` package's image explainer: each superpixel kept with
probability ½, cosine distance to the whole photo, exponential kernel of width 0.25, ridge with α = 1. Given the same
superpixels and the same draws the coefficients are that package's.

What is explained is the probability of one class, so the parts are in "probability": 0.2 says that the surrogate gives
the class 20 points more with this superpixel shown than with it hidden.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from flowers_core.explain.base import Box, ClassTarget, Explanation
from flowers_core.explain.probing import BATCH, Logits, Progress, probability, report
from flowers_core.explain.superpixels import (
    DEFAULT_SEGMENTS,
    Masks,
    Pixels,
    Regions,
    hidden_photo,
    masked_photos,
    superpixels,
)
from flowers_core.explain.surrogate import ALPHA, Surrogate, weighted_ridge

METHOD = "lime"
SAMPLINGS = ("weighted", "uniform")
#: At most; the stopping rule ends most runs before. More would seldom settle what these have not.
DEFAULT_SAMPLES = 500
#: How many of the strongest superpixels must be settled.
DEFAULT_SETTLE = 5
#: Of the weighted distribution, the widest of GLIME's experiments: keeps 51 in 100. So wide, the two of a pair are
#: almost each other's complement, and that is what makes them worth having: at 1.5 (61 in 100) nothing is gained.
SIGMA = 5.0
#: Of the ridge over weighted samples, which are several times as many as superpixels: enough to invert, and no more,
#: for it draws every effect towards 0.
WEIGHTED_ALPHA = 0.01
KERNEL_WIDTH = 0.25
#: A superpixel that moves the probability by less than a tenth of a percentage point has no effect worth drawing.
FLOOR = 0.001


def explain_lime(
    logits: Logits,
    pixels: Pixels,
    label: int,
    *,
    box: Box,
    photo_size: tuple[int, int],
    segmentation: str = "slic",
    segments: int = DEFAULT_SEGMENTS,
    regions: Regions | None = None,
    samples: int = DEFAULT_SAMPLES,
    sampling: str = "weighted",
    settle: int = DEFAULT_SETTLE,
    hidden: str = "mean",
    temperature: float = 1.0,
    batch_size: int = BATCH,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """Which superpixels raise the probability of a class. The same arguments give the same map.

    Args:
        logits: the model, such as Runtime.logits.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        label: 1…classes; the model's column is label − 1.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.
        segmentation: one of SEGMENTATIONS.
        segments: about how many superpixels (see `superpixels`).
        regions: (s, s) superpixels 0…n−1, each in use, to take instead of computing them.
        samples: how many versions of the photo the model sees at most, the whole one among them; ≥ 2.
        sampling: one of SAMPLINGS.
        settle: stop when so many of the strongest superpixels are settled; 0 takes all samples.
        hidden: what hidden superpixels become: "mean", each its own mean colour, or "grey".
        temperature: of the softmax; with the bundle's, the probability explained is the one that the page shows.
        batch_size: photos to a call of `logits`.
        seed: of the draws.
        progress: called with (samples done, samples at most) before the first batch and after each; stops the run by
            returning False.

    Returns:
        Explanation with `regions` and 95 % `margins`, `contributions` constant in each region, `value` their sum: by
        how much the surrogate has the whole photo above the wholly hidden one. Its settings hold the choices, and
        `samples` (taken), `settled`, `r2`, `r2_left_out`, `intercept`, `probability` (the model's, whole photo),
        `surrogate_probability` and `hidden_probability` (the model's, all hidden).

    Raises:
        ExplanationStopped: where `progress` returned False.
        ValueError: where an argument cannot be.
    """
    started = time.perf_counter()
    if samples < 2 or batch_size < 1 or temperature <= 0:
        raise ValueError("LIME needs two samples or more, batches of one or more, and a temperature above 0.")
    if sampling not in SAMPLINGS:
        raise ValueError(f"There is no sampling “{sampling}”; there are {', '.join(SAMPLINGS)}.")
    report(progress, 0, samples)
    if regions is None:
        regions = superpixels(pixels, segmentation, segments)
    else:
        segmentation = "given"
    background = hidden_photo(pixels, regions, hidden)
    count = int(regions.max()) + 1
    weighted = sampling == "weighted"
    keep = keep_probability(SIGMA) if weighted else 0.5
    masks = sample_masks(samples, count, np.random.default_rng(seed), keep, paired=weighted)
    weights = np.ones(samples) if weighted else kernel_weights(masks)
    groups = (np.arange(samples) + 1) // 2 if weighted else np.arange(samples)

    def fit(taken: int) -> Surrogate:
        alpha = WEIGHTED_ALPHA if weighted else ALPHA
        return weighted_ridge(masks[:taken], probabilities[:taken], weights[:taken], alpha, groups[:taken])

    target = ClassTarget(label)
    probabilities = np.empty(samples)
    done, settled = 0, False
    while done < samples and not settled:
        batch = masked_photos(pixels, background, regions, masks[done : done + batch_size])
        probabilities[done : done + len(batch)] = probability(logits(batch), target, temperature)
        done += len(batch)
        report(progress, done, samples)
        # Fits with hardly more samples than superpixels deceive themselves about their own errors.
        if settle and done >= 3 * (count + 1):
            settled = fit(done).settled(settle)
    surrogate = fit(done)
    nothing_shown = float(probability(logits(background[None]), target, temperature)[0])

    value = float(surrogate.coefficients.sum())
    return Explanation(
        method=METHOD,
        target=target,
        contributions=surrogate.coefficients.astype(np.float32)[regions],
        value=value,
        unit="probability",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={
            "segmentation": segmentation,
            "segments": segments,
            "regions": len(surrogate.coefficients),
            "samples": done,
            "sampling": sampling,
            "keep": keep,
            "settled": settled,
            "hidden": hidden,
            "temperature": temperature,
            "r2": surrogate.r2,
            "r2_left_out": surrogate.r2_left_out,
            "intercept": surrogate.intercept,
            "probability": float(probabilities[0]),
            "surrogate_probability": surrogate.intercept + value,
            "hidden_probability": nothing_shown,
        },
        seed=seed,
        regions=regions,
        margins=surrogate.margins.astype(np.float32)[regions],
        floor=FLOOR,
    )


def keep_probability(sigma: float) -> float:
    """With what probability GLIME keeps a superpixel where the kernel's width is `sigma`: ½ for a very wide one.

    A mask with m of its superpixels hidden weighs exp(−m/σ²), a product over superpixels: each is drawn on its own.
    """
    return float(1 / (1 + np.exp(-1 / sigma**2)))


def sample_masks(
    samples: int, regions: int, random: np.random.Generator, keep: float = 0.5, *, paired: bool = False
) -> Masks:
    """Which superpixels each sample keeps: each with probability `keep`; the first sample is the whole photo.

    Paired, samples 1 and 2, 3 and 4, … come from the same draws u and 1 − u: no superpixel is hidden by both while
    `keep` is ½ or more, and each sample by itself is distributed as if it were alone.

    Returns:
        (samples, regions) bool, True = shown.
    """
    draws = random.random((samples, regions))
    if paired:
        draws[2::2] = 1 - draws[1 : samples - 1 : 2]
    masks = draws < keep
    masks[0] = True
    return masks


def kernel_weights(masks: Masks, width: float = KERNEL_WIDTH) -> npt.NDArray[np.float64]:
    """How much each sample counts: √exp(−d²/width²), d the cosine distance between its mask and the whole photo's.

    The cosine of a 0/1 vector with k of n ones to the vector of ones is k/(√k·√n) = √(k/n); with nothing shown d is 1.

    Args:
        masks: (n, regions) bool.
        width: of the kernel, > 0.

    Returns:
        (n,) float64 in (0, 1].
    """
    distance = 1 - np.sqrt(masks.mean(axis=1))
    return np.sqrt(np.exp(-(distance**2) / width**2))
