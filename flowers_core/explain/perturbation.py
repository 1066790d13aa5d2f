"""Perturbation: how the model's answer changes when areas of the photo are hidden.

The methods that hide areas share this module. They measure the probability of the class or, for a contrast, the
probability of one class given that it is one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp, softmax

from flowers_core.explain.explanation import ClassTarget, ContrastTarget, FloatArray, Target, check_label
from flowers_core.explain.subject import Logits, Pixels

#: (forward passes done, forward passes in all) → False to stop; any other value goes on.
Progress = Callable[[int, int], bool | None]
#: Photos in one call of the model.
BATCH = 32
_ONLY_CLASSES = "Hiding parts of a photo explains a class, or a class against another, not a neighbour."


class ExplanationStopped(Exception):
    """The progress callback asked to stop.

    There is no partial result, because nobody could see that a map is from too few forward passes.
    """


def probability(logits: FloatArray, target: Target, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """The target's probability, for each row of logits.

    Args:
        logits: (n, classes); column j is label j + 1.
        target: a class, or a class against another.
        temperature: divides the logits, > 0.

    Returns:
        (n,) in 0…1: the class's probability; for a contrast p_label / (p_label + p_rival).

    Raises:
        ValueError: if a label does not exist, or the target is a neighbour.
    """
    if isinstance(target, ClassTarget):
        check_label(target.label, logits.shape[1])
        return softmax(logits.astype(np.float64) / temperature, axis=1)[:, target.label - 1]
    if isinstance(target, ContrastTarget):
        return expit(log_odds(logits, target, temperature))
    raise ValueError(_ONLY_CLASSES)


def log_odds(logits: FloatArray, target: Target, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """The log-odds of the target, log p − log (1 − p), for each row of logits.

    They are computed from the logits, because a probability that rounds to 1 has lost them.

    Args:
        logits: (n, classes), two or more; column j is label j + 1.
        target: a class, or a class against another.
        temperature: divides the logits, > 0.

    Returns:
        (n,), whose `scipy.special.expit` is `probability`.

    Raises:
        ValueError: as `probability`.
    """
    if isinstance(target, ClassTarget):
        check_label(target.label, logits.shape[1])
        scaled = logits.astype(np.float64) / temperature
        return scaled[:, target.label - 1] - logsumexp(np.delete(scaled, target.label - 1, axis=1), axis=1)
    if isinstance(target, ContrastTarget):
        check_label(target.label, logits.shape[1])
        check_label(target.rival, logits.shape[1])
        return (logits[:, target.label - 1].astype(np.float64) - logits[:, target.rival - 1]) / temperature
    raise ValueError(_ONLY_CLASSES)


def perturbed_probabilities(
    model: Logits,
    batches: Iterable[Pixels],
    target: Target,
    temperature: float = 1.0,
    *,
    total: int,
    progress: Progress | None = None,
) -> npt.NDArray[np.float64]:
    """The target's probability in each perturbed photo.

    Args:
        model: photos to logits.
        batches: of photos (n, s, s, 3), made one at a time: all at once would fill the memory.
        target: a class, or a class against another.
        temperature: of the softmax.
        total: photos in all batches together.
        progress: called with (photos done, total) before the first batch and after each.

    Returns:
        (total,) float64, in the order of the photos.

    Raises:
        ExplanationStopped: if `progress` returned False.
    """
    report_progress(progress, 0, total)
    found: list[npt.NDArray[np.float64]] = []
    done = 0
    for batch in batches:
        found.append(probability(model(batch), target, temperature))
        done += len(batch)
        report_progress(progress, done, total)
    return np.concatenate(found)


def report_progress(progress: Progress | None, done: int, total: int) -> None:
    """Call `progress`, if there is one.

    Args:
        progress: the callback.
        done: forward passes.
        total: forward passes in all.

    Raises:
        ExplanationStopped: if it returned False.
    """
    # `is False` and not falsy: a callback that returns nothing goes on.
    if progress is not None and progress(done, total) is False:
        raise ExplanationStopped(f"Stopped after {done} of {total} forward passes.")
