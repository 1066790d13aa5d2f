"""LIME: hide superpixels at random, watch what becomes of the class, and fit a simple model to what was seen.

Ribeiro, Singh and Guestrin, "Why Should I Trust You?", KDD 2016 (arXiv 1602.04938), made quick in five ways:

- the simple model is linear in the log-odds of the class, as a logistic regression is (link "logit" of Kernel SHAP,
  Lundberg and Lee 2017, arXiv 1705.07874). Of a sure model the probability hardly moves until much is hidden, and then
  all at once, which no sum of parts can follow; the log-odds do what the sum says, and so a fraction of the samples
  settles which parts count;
- samples are drawn where they count, from the weighted distribution itself (Tan, Tian and Li 2023, "GLIME", arXiv
  2311.15722), and then all weigh the same. With the kernel exp(−‖1 − mask‖²/σ²) that means to keep each superpixel on
  its own with probability 1/(1 + exp(−1/σ²)). They are balanced against each other (`balanced_masks`), and come in
  pairs of which one hides what the other shows (as in Covert and Lee 2021, "Improving KernelSHAP", arXiv 2012.01536);
- sampling ends when the ranking of the strongest superpixels is settled (Zhou, Hooker and Wang 2021, "S-LIME", KDD,
  arXiv 2106.07875);
- the model sees the samples in batches;
- where `places` is given, of a model whose answer is a mean over places, what each of them says is told apart, and then
  a third of the samples agree better from run to run (`local_effects`).

With `sampling="uniform"`, `link="identity"` and `settle=0` it is the `lime` package's image explainer: each superpixel
kept with probability ½, cosine distance to the whole photo, exponential kernel of width 0.25, ridge with α = 1, fitted
to the probability. Given the same superpixels and the same draws the coefficients are that package's.

The parts are in "logit": 0.7 says that the odds of the class are e^0.7 = 2 times as high with this superpixel shown as
with it hidden. With `link="identity"` they are in "probability".
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from flowers_core.explain.explanation import Box, ClassTarget, Explanation
from flowers_core.explain.lime.masks import balanced_masks, block_size, independent_masks, keep_probability
from flowers_core.explain.lime.per_position import Places, PlacesWatched
from flowers_core.explain.lime.superpixels import (
    DEFAULT_SEGMENTS,
    Masks,
    Pixels,
    Regions,
    hidden_photo,
    masked_photos,
    superpixels,
)
from flowers_core.explain.lime.surrogate import ALPHA, Surrogate, weighted_ridge
from flowers_core.explain.perturbation import BATCH, Logits, Progress, log_odds, probability, report

METHOD = "lime"
SAMPLINGS = ("weighted", "uniform")
#: What the simple model is linear in, with the unit of its parts.
LINKS = {"logit": "logit", "identity": "probability"}
#: At most, with `places`: the whole photo, and a balanced block of 17 to 32 superpixels. With two blocks, 24 validation
#: photos had a deletion area of 0.424 instead of 0.418, and no more of two runs' top five were alike (0.89 and 0.90).
DEFAULT_SAMPLES = 65
#: The same without: three blocks. A fourth changed the deletion area by 0.003 at most, and how alike two runs' top five
#: are by 0.03 (two sets of 40 validation photos).
REGRESSION_SAMPLES = 193
#: Regression also needs more superpixels than DEFAULT_SEGMENTS: on two sets of 40 validation photos the deletion area
#: over 30 was 0.03 lower than over 26, and over 34, tried on one of them, it was higher again.
REGRESSION_SEGMENTS = 30
#: How many of the strongest superpixels must be settled.
DEFAULT_SETTLE = 5
#: Of the weighted distribution, the widest of GLIME's experiments: keeps 51 in 100. So wide, the two of a pair are
#: almost each other's complement, and that is what makes them worth having: at 1.5 (61 in 100) nothing is gained.
SIGMA = 5.0
#: Of the ridge over weighted samples, which are several times as many as superpixels: enough to invert, and no more,
#: for it draws every effect towards 0.
WEIGHTED_ALPHA = 0.01
KERNEL_WIDTH = 0.25
#: A superpixel that moves the odds by less than one in a hundred, or the probability by less than a tenth of a
#: percentage point, has no effect worth drawing.
FLOORS = {"logit": 0.01, "identity": 0.001}


def explain_lime(
    logits: Logits,
    pixels: Pixels,
    label: int,
    *,
    box: Box,
    photo_size: tuple[int, int],
    segmentation: str = "slic",
    segments: int | None = None,
    regions: Regions | None = None,
    samples: int | None = None,
    sampling: str = "weighted",
    link: str = "logit",
    settle: int = DEFAULT_SETTLE,
    hidden: str = "mean",
    temperature: float = 1.0,
    batch_size: int = BATCH,
    seed: int = 0,
    progress: Progress | None = None,
    places: Places | None = None,
) -> Explanation:
    """Which superpixels raise the odds of a class. The same arguments give the same map.

    Args:
        logits: the model, such as Runtime.logits.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        label: 1…classes; the model's column is label − 1.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.
        segmentation: one of SEGMENTATIONS.
        segments: about how many superpixels (see `superpixels`); None: DEFAULT_SEGMENTS with `places`, else
            REGRESSION_SEGMENTS.
        regions: (s, s) superpixels 0…n−1, each in use, to take instead of computing them.
        samples: how many versions of the photo the model sees at most, the whole one among them; ≥ 2. None:
            with `places` DEFAULT_SAMPLES, or a balanced block of more superpixels than that has; else
            REGRESSION_SAMPLES.
        sampling: one of SAMPLINGS.
        link: one of LINKS.
        settle: stop when so many of the strongest superpixels are settled; 0 takes all samples.
        hidden: what hidden superpixels become: "mean", each its own mean colour, or "grey".
        temperature: of the softmax; with the bundle's, the probability explained is the one that the page shows.
        batch_size: photos to a call of `logits`.
        seed: of the draws.
        progress: called with (samples done, samples at most) before the first batch and after each; stops the run by
            returning False.
        places: the same model with what it says at every place, which is then used (see `local_effects`); with weighted
            sampling and the link "logit" only.

    Returns:
        Explanation with `regions` and 95 % `margins`, `contributions` constant in each region, `value` their sum: by
        how much the surrogate has the whole photo above the wholly hidden one. Its settings hold the choices, and
        `samples` (taken), `settled`, `r2`, `r2_left_out`, `intercept`, `probability` (the model's, whole photo),
        `surrogate_probability` and `hidden_probability` (the model's, all hidden; a look beside the samples).

    Raises:
        ExplanationStopped: where `progress` returned False.
        ValueError: where an argument cannot be.
    """
    started = time.perf_counter()
    if segments is None:
        segments = DEFAULT_SEGMENTS if places else REGRESSION_SEGMENTS
    if (samples is not None and samples < 2) or batch_size < 1 or temperature <= 0:
        raise ValueError("LIME needs two samples or more, batches of one or more, and a temperature above 0.")
    if sampling not in SAMPLINGS:
        raise ValueError(f"There is no sampling “{sampling}”; there are {', '.join(SAMPLINGS)}.")
    if link not in LINKS:
        raise ValueError(f"There is no link “{link}”; there are {', '.join(LINKS)}.")
    if places is not None and (sampling, link) != ("weighted", "logit"):
        raise ValueError("By place, LIME takes weighted samples, and the link is “logit”.")
    if regions is None:
        regions = superpixels(pixels, segmentation, segments)
    else:
        segmentation = "given"
    background = hidden_photo(pixels, regions, hidden)
    count = int(regions.max()) + 1
    if samples is None:
        samples = max(DEFAULT_SAMPLES, 1 + 2 * block_size(count)) if places else REGRESSION_SAMPLES
    report(progress, 0, samples)
    weighted = sampling == "weighted"
    keep = keep_probability(SIGMA) if weighted else 0.5
    draw = balanced_masks if weighted else independent_masks
    masks = draw(samples, count, np.random.default_rng(seed), keep)
    weights = np.ones(samples) if weighted else kernel_weights(masks)
    groups = (np.arange(samples) + 1) // 2 if weighted else np.arange(samples)
    target = ClassTarget(label)
    watched = log_odds if link == "logit" else probability
    # The wholly hidden photo is no sample, but the first look: at the end it would keep the other interpreters waiting.
    looks = np.concatenate([np.zeros((1, count), bool), masks])
    seen = np.empty(0)
    by_place = places and PlacesWatched(places, label, temperature, regions, pixels, background)
    answer = by_place.look if by_place else logits

    def fit(taken: int) -> Surrogate:
        if by_place:
            return by_place.surrogate(masks[:taken], seen[1:])
        alpha = WEIGHTED_ALPHA if weighted else ALPHA
        return weighted_ridge(masks[:taken], seen[1:], weights[:taken], alpha, groups[:taken])

    done, settled, surrogate = 0, False, None
    while done < samples and not settled:
        # The first batch is larger by the hidden and the whole photo, so that no pair is torn.
        batch = looks[len(seen) : len(seen) + (batch_size if done else batch_size + 2)]
        answers = answer(masked_photos(pixels, background, regions, batch))
        seen = np.concatenate([seen, watched(answers, target, temperature)])
        done = len(seen) - 1
        report(progress, done, samples)
        # Regression with hardly more samples than superpixels deceives itself about its own errors.
        surrogate = fit(done) if settle and done >= (1 if by_place else 3) * (count + 1) else None
        settled = surrogate is not None and surrogate.settled(settle)
    surrogate = surrogate or fit(done)

    value = float(surrogate.coefficients.sum())
    to_probability = expit if link == "logit" else float
    return Explanation(
        method=METHOD,
        target=target,
        contributions=surrogate.coefficients.astype(np.float32)[regions],
        value=value,
        unit=LINKS[link],
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={
            "segmentation": segmentation,
            "segments": segments,
            "regions": len(surrogate.coefficients),
            "samples": done,
            "sampling": sampling,
            "link": link,
            "by_place": places is not None,
            "keep": keep,
            "settled": settled,
            "hidden": hidden,
            "temperature": temperature,
            "r2": surrogate.r2,
            "r2_left_out": surrogate.r2_left_out,
            "intercept": surrogate.intercept,
            "probability": float(to_probability(seen[1])),
            "surrogate_probability": float(to_probability(surrogate.intercept + value)),
            "hidden_probability": float(to_probability(seen[0])),
        },
        seed=seed,
        regions=regions,
        margins=surrogate.margins.astype(np.float32)[regions],
        floor=FLOORS[link],
    )


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
