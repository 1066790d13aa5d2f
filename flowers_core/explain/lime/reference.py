"""LIME by the `lime` package, called like any method of this package: the reference for `explain_lime`.

With its defaults it takes many times as long. They are quickshift superpixels (the same for every seed), and always
1000 samples in batches of 10.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from flowers_core.explain.explanation import ClassTarget, Explanation, Target, check_label
from flowers_core.explain.perturbation import Progress, report_progress
from flowers_core.explain.subject import Subject

METHOD = "lime_reference"
SAMPLES = 1000
#: An effect below a tenth of a percentage point is not worth drawing.
EPSILON = 0.001


def explain_lime_reference(
    subject: Subject,
    target: Target,
    *,
    samples: int = SAMPLES,
    batch_size: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """LimeImageExplainer.explain_instance with its defaults. The package draws a progress bar on standard error.

    Args:
        subject: the photo and the model.
        target: a class.
        samples: masked photos that the model sees.
        batch_size: photos in one call of the model.
        seed: of the package's random numbers.
        progress: called with (samples done, samples); False stops.

    Returns:
        Explanation in "probability" with `superpixels`; the sum of its terms is `value`.

    Raises:
        ExplanationStopped: if `progress` returned False.
        ValueError: if the target is no class, or there is no such label.
    """
    started = time.perf_counter()
    from lime.lime_image import LimeImageExplainer

    if not isinstance(target, ClassTarget):
        raise ValueError("LIME explains one class at a time.")
    done = 0

    def probabilities(photos: npt.NDArray) -> npt.NDArray[np.float64]:
        nonlocal done
        answered = subject.logits(np.asarray(photos, np.uint8))
        done += len(photos)
        report_progress(progress, done, samples)
        return softmax(answered.astype(np.float64) / subject.temperature, axis=1)

    report_progress(progress, 0, samples)
    column = target.label - 1
    check_label(target.label, subject.logits(subject.pixels[None]).shape[1])
    # The package draws from NumPy's old generator. This one has a state of its own, so no global state changes.
    explained = LimeImageExplainer(random_state=np.random.RandomState(seed)).explain_instance(
        subject.pixels,
        probabilities,
        labels=(column,),
        top_labels=None,
        num_samples=samples,
        batch_size=batch_size,
        random_seed=seed,
    )
    superpixels = np.asarray(explained.segments, np.int32)
    coefficients = np.zeros(int(superpixels.max()) + 1)
    for superpixel, weight in explained.local_exp[column]:
        coefficients[superpixel] = weight
    return Explanation(
        method=METHOD,
        target=target,
        contributions=coefficients.astype(np.float32)[superpixels],
        value=float(coefficients.sum()),
        unit="probability",
        **subject.frame,
        seconds=time.perf_counter() - started,
        settings={
            "algorithm": "quickshift",
            "superpixels": len(coefficients),
            "samples": samples,
            "temperature": subject.temperature,
            "r2": float(explained.score),
        },
        seed=seed,
        superpixels=superpixels,
        epsilon=EPSILON,
    )
