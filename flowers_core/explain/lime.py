"""LIME: hide superpixels at random, watch the class's probability, and fit a weighted linear model to what was seen.

Ribeiro, Singh and Guestrin, "Why Should I Trust You?", KDD 2016 (arXiv 1602.04938), with the choices of the `lime`
package's image explainer: each superpixel kept with probability ½, cosine distance to the whole photo, exponential
kernel of width 0.25, ridge with α = 1. Given the same superpixels and the same draws the coefficients are that
package's. Superpixels come from scikit-image. The steps are separate functions: `superpixels`, `sample_masks`,
`masked_photos`, `kernel_weights`, `weighted_ridge`.

What is explained is the probability of one class, so the parts are in "probability": 0.2 says that the surrogate gives
the class 20 points more with this superpixel shown than with it hidden.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowers_core.explain.base import Box, ClassTarget, Explanation
from flowers_core.explain.probing import Logits, Progress, ask, probability
from flowers_core.explain.superpixels import (
    DEFAULT_SEGMENTS,
    Masks,
    Pixels,
    Regions,
    hidden_photo,
    masked_photos,
    superpixels,
)

METHOD = "lime"
#: About two seconds at 3 ms a photo.
DEFAULT_SAMPLES = 600
KERNEL_WIDTH = 0.25
ALPHA = 1.0
#: A superpixel that moves the probability by less than a tenth of a percentage point has no effect worth drawing.
FLOOR = 0.001


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A weighted linear model of the probability.

    Attributes:
        coefficients: (regions,) float64.
        intercept: with every region hidden, according to the model.
        r2: share of the weighted variance that the model accounts for, on the samples that it was fitted to (as `lime`
            gives it); 0 where the probability does not move.
        r2_left_out: the same with each sample predicted by the fit to all others. It is what r2 should have been: with
            few samples for each region r2 flatters, and this one falls, below 0 where the fit is worse than the mean.
    """

    coefficients: npt.NDArray[np.float64]
    intercept: float
    r2: float
    r2_left_out: float


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
    hidden: str = "mean",
    temperature: float = 1.0,
    batch_size: int = 32,
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
        samples: how many versions of the photo the model sees, the whole one among them; ≥ 2.
        hidden: what hidden superpixels become: "mean", each its own mean colour, or "grey".
        temperature: of the softmax; with the bundle's, the probability explained is the one that the page shows.
        batch_size: photos to a call of `logits`.
        seed: of the draws.
        progress: called with (samples done, samples) before the first batch and after each; stops the run by returning
            False.

    Returns:
        Explanation with `regions`, `contributions` constant in each, `value` the sum over regions: by how much the
        surrogate has the whole photo above the wholly hidden one. Its settings hold the choices, and `r2`,
        `r2_left_out`, `intercept`, `probability` (the model's, whole photo), `surrogate_probability` and
        `hidden_probability` (the model's, all hidden).

    Raises:
        ExplanationStopped: where `progress` returned False.
        ValueError: where an argument cannot be.
    """
    started = time.perf_counter()
    if samples < 2 or batch_size < 1 or temperature <= 0:
        raise ValueError("LIME needs two samples or more, batches of one or more, and a temperature above 0.")
    if regions is None:
        regions = superpixels(pixels, segmentation, segments)
    else:
        segmentation = "given"
    background = hidden_photo(pixels, regions, hidden)
    masks = sample_masks(samples, int(regions.max()) + 1, np.random.default_rng(seed))

    def versions() -> Iterator[Pixels]:
        for begin in range(0, samples, batch_size):
            yield masked_photos(pixels, background, regions, masks[begin : begin + batch_size])

    target = ClassTarget(label)
    probabilities = ask(logits, versions(), target, temperature, total=samples, progress=progress)
    surrogate = weighted_ridge(masks, probabilities, kernel_weights(masks))
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
            "samples": samples,
            "hidden": hidden,
            "temperature": temperature,
            "kernel_width": KERNEL_WIDTH,
            "alpha": ALPHA,
            "r2": surrogate.r2,
            "r2_left_out": surrogate.r2_left_out,
            "intercept": surrogate.intercept,
            "probability": float(probabilities[0]),
            "surrogate_probability": surrogate.intercept + value,
            "hidden_probability": nothing_shown,
        },
        seed=seed,
        regions=regions,
        floor=FLOOR,
    )


def sample_masks(samples: int, regions: int, random: np.random.Generator) -> Masks:
    """Which superpixels each sample keeps: each with probability ½; the first sample is the whole photo.

    Returns:
        (samples, regions) bool, True = shown.
    """
    masks = random.integers(0, 2, size=(samples, regions)).astype(bool)
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


def weighted_ridge(
    masks: npt.NDArray, values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], alpha: float = ALPHA
) -> Surrogate:
    """Ridge regression with sample weights and an intercept that goes unpenalised.

    Minimises Σ_s weight_s (value_s − intercept − mask_s · coefficients)² + alpha ‖coefficients‖², scikit-learn's Ridge.

    Args:
        masks: (n, regions), the regressors.
        values: (n,), what to predict.
        weights: (n,), > 0.
        alpha: > 0.

    Returns:
        Surrogate. Its left-out r2 takes no second fit: the residual of a sample left out is its residual ÷ (1 −
        leverage).
    """
    regressors = np.column_stack([masks.astype(np.float64), np.ones(len(masks))])
    weighted = regressors * weights[:, None]
    penalty = np.diag([alpha] * masks.shape[1] + [0.0])
    inverse = np.linalg.inv(regressors.T @ weighted + penalty)
    solution = inverse @ (weighted.T @ values)
    residuals = values - regressors @ solution
    leverage = ((weighted @ inverse) * regressors).sum(axis=1)
    spread = float(weights @ (values - np.average(values, weights=weights)) ** 2)
    # Below a millionth of a probability there is nothing but rounding to account for.
    moves = spread > 1e-12 * float(weights.sum())
    return Surrogate(
        coefficients=solution[:-1],
        intercept=float(solution[-1]),
        r2=1 - float(weights @ residuals**2) / spread if moves else 0.0,
        r2_left_out=1 - float(weights @ (residuals / (1 - leverage)) ** 2) / spread if moves else 0.0,
    )
