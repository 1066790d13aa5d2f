"""LIME by the `lime` package itself, behind this package's interface: the reference for `lime`.

With its defaults it takes many times as long: quickshift superpixels (the same for every seed), 1000 samples in batches
of 10, and no end before the last of them.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from flowers_core.explain.explanation import Box, ClassTarget, Explanation
from flowers_core.explain.perturbation import Logits, Pixels, Progress, report

METHOD = "lime_reference"
DEFAULT_SAMPLES = 1000
#: As in `lime`.
FLOOR = 0.001


def explain_lime_reference(
    logits: Logits,
    pixels: Pixels,
    label: int,
    *,
    box: Box,
    photo_size: tuple[int, int],
    samples: int = DEFAULT_SAMPLES,
    temperature: float = 1.0,
    batch_size: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """What LimeImageExplainer.explain_instance answers with its defaults; it draws a bar of its own on standard error.

    Args:
        logits: the model, such as Runtime.logits.
        pixels: (s, s, 3) uint8, ModelInput.pixels.
        label: 1…classes.
        box: ModelInput.box.
        photo_size: (width, height) of the photo.
        samples: how many versions of the photo the model sees.
        temperature: of the softmax.
        batch_size: photos to a call of `logits`.
        seed: of the package's random numbers.
        progress: called with (samples done, samples); stops by returning False.

    Returns:
        Explanation in "probability" with `regions`; the sum of its parts is `value`.

    Raises:
        ExplanationStopped: where `progress` returned False.
        ValueError: where there is no such label.
    """
    started = time.perf_counter()
    from lime.lime_image import LimeImageExplainer

    done = 0

    def probabilities(photos: npt.NDArray) -> npt.NDArray[np.float64]:
        nonlocal done
        answered = logits(np.asarray(photos, np.uint8))
        done += len(photos)
        report(progress, done, samples)
        return softmax(answered.astype(np.float64) / temperature, axis=1)

    report(progress, 0, samples)
    classes = logits(pixels[None]).shape[1]
    if not 1 <= label <= classes:
        raise ValueError(f"There is no label {label}: this model knows 1…{classes}.")
    # Its numbers come from NumPy's old generator, whose state is its own here and nobody else's.
    explained = LimeImageExplainer(random_state=np.random.RandomState(seed)).explain_instance(
        pixels,
        probabilities,
        labels=(label - 1,),
        top_labels=None,
        num_samples=samples,
        batch_size=batch_size,
        random_seed=seed,
    )
    regions = np.asarray(explained.segments, np.int32)
    coefficients = np.zeros(int(regions.max()) + 1)
    for region, weight in explained.local_exp[label - 1]:
        coefficients[region] = weight
    return Explanation(
        method=METHOD,
        target=ClassTarget(label),
        contributions=coefficients.astype(np.float32)[regions],
        value=float(coefficients.sum()),
        unit="probability",
        box=box,
        photo_size=photo_size,
        seconds=time.perf_counter() - started,
        settings={
            "segmentation": "quickshift",
            "regions": len(coefficients),
            "samples": samples,
            "temperature": temperature,
            "r2": float(explained.score),
        },
        seed=seed,
        regions=regions,
        floor=FLOOR,
    )
