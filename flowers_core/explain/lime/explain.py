"""LIME: hide superpixels at random, and fit a simple model to the model's answers.

Ribeiro, Singh and Guestrin, "Why Should I Trust You?", KDD 2016 (arXiv 1602.04938), made quick in five ways:

- The surrogate is linear in the log-odds of the class, as a logistic regression is (link "logit" of Kernel SHAP,
  Lundberg and Lee 2017, arXiv 1705.07874). The probability of a confident model hardly changes until much is hidden,
  and then it falls all at once, which no sum of effects can follow. The log-odds can be such a sum, so a fraction of
  the samples is enough to rank the superpixels.
- Samples are drawn from the weighted distribution itself (Tan, Tian and Li 2023, "GLIME", arXiv 2311.15722), so that
  all have the same weight. With the kernel exp(−‖1 − mask‖²/σ²) each superpixel is shown on its own with probability
  1/(1 + exp(−1/σ²)). The masks are balanced (`balanced_masks`) and come in antithetic pairs: one hides what the other
  shows (as in Covert and Lee 2021, "Improving KernelSHAP", arXiv 2012.01536).
- Sampling stops when the ranking of the strongest superpixels has converged (Zhou, Hooker and Wang 2021, "S-LIME", KDD,
  arXiv 2106.07875).
- The model sees the samples in batches.
- If the answer is a mean over positions, each position gets its own surrogate. Two runs then agree better, with a third
  of the samples (`per_position`).

Contributions are in "logit": 0.7 means that the odds of the class are e^0.7 = 2 times as high with this superpixel
shown as with it hidden.
"""

from __future__ import annotations

import time
from dataclasses import asdict

import numpy as np
from scipy.special import expit

from flowers_core.explain.explanation import ClassTarget, Explanation, Target
from flowers_core.explain.lime.options import LimeOptions
from flowers_core.explain.lime.per_position import PositionFit
from flowers_core.explain.lime.regression import RegressionFit
from flowers_core.explain.lime.sampler import KEEP, Sampler
from flowers_core.explain.lime.superpixels import SegmentedPhoto, Superpixels, segment
from flowers_core.explain.lime.surrogate import Surrogate
from flowers_core.explain.perturbation import Progress
from flowers_core.explain.subject import Subject

METHOD = "lime"
#: An effect that changes the odds by less than 1 % is not drawn.
EPSILON = 0.01
_DEFAULTS = LimeOptions()


def explain_lime(
    subject: Subject,
    target: Target,
    *,
    superpixels: Superpixels | None = None,
    options: LimeOptions = _DEFAULTS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """Which superpixels raise the odds of a class. The same arguments give the same map.

    Args:
        subject: the photo and the model. With `subject.forward` there is one surrogate for each position
            (`per_position`), else one for the whole answer (`regression`).
        target: a class.
        superpixels: (s, s) label map 0…n−1, each in use; by default by `subject.segmentation`.
        options: how to sample.
        seed: of the draws.
        progress: called with (samples done, samples at most) before the first batch and after each; False stops.

    Returns:
        Explanation with `superpixels` and 95 % `margins`. `contributions` are constant in each superpixel. `value` is
        the sum of the terms: the surrogate's log-odds of the whole photo minus those of the baseline, the photo with
        every superpixel hidden. The settings hold the options, and `samples` (taken), `converged`, `r2`,
        `r2_left_out`, `intercept`, `probability` (the model's, of the whole photo), `surrogate_probability` and
        `baseline_probability`.

    Raises:
        ExplanationStopped: if `progress` returned False.
        ValueError: if there is no such label, the target is no class, or the superpixels do not fit.
    """
    started = time.perf_counter()
    if not isinstance(target, ClassTarget):
        raise ValueError("LIME explains one class at a time.")
    segmentation = asdict(subject.segmentation) if superpixels is None else {"algorithm": "given"}
    if superpixels is None:
        superpixels = segment(subject.pixels, subject.segmentation)
    photo = SegmentedPhoto(subject.pixels, superpixels)
    fit = PositionFit(subject, target, photo) if subject.forward else RegressionFit(subject)
    sampler = Sampler(
        photo,
        fit.logits,
        target,
        subject.temperature,
        samples=options.samples or fit.samples_for(photo.count),
        batch_size=options.batch_size,
        seed=seed,
        progress=progress,
    )
    surrogate, samples, converged = _sample_until_converged(sampler, fit, photo.count, options.top)
    value = float(surrogate.coefficients.sum())
    return Explanation(
        method=METHOD,
        target=target,
        contributions=surrogate.coefficients.astype(np.float32)[superpixels],
        value=value,
        unit="logit",
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={
            **segmentation,
            "superpixels": photo.count,
            "samples": samples,
            "per_position": subject.forward is not None,
            "keep": KEEP,
            "converged": converged,
            "temperature": subject.temperature,
            "r2": surrogate.r2,
            "r2_left_out": surrogate.r2_left_out,
            "intercept": surrogate.intercept,
            "probability": float(expit(sampler.whole_log_odds)),
            "surrogate_probability": float(expit(surrogate.intercept + value)),
            "baseline_probability": float(expit(sampler.baseline_log_odds)),
        },
        seed=seed,
        superpixels=superpixels,
        margins=surrogate.margins.astype(np.float32)[superpixels],
        epsilon=EPSILON,
    )


def _sample_until_converged(
    sampler: Sampler, fit: PositionFit | RegressionFit, count: int, top: int
) -> tuple[Surrogate, int, bool]:
    """The surrogate, the number of samples it is fitted to, and whether its ranking has converged."""
    enough = fit.SAMPLES_PER_COEFFICIENT * (count + 1)
    for masks, log_odds in sampler.batches():
        fitted = None
        if top and len(masks) >= enough:
            fitted = fit.surrogate(masks, log_odds)
            if fitted.converged(top):
                return fitted, len(masks), True
    return fitted or fit.surrogate(masks, log_odds), len(masks), False
