"""Asking the model about many versions of a photo: what the methods that hide parts of it have in common.

A version is one look of the model at the photo with something hidden. What is watched is the probability of the class,
or, of a contrast, its share of the probability of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp, softmax

from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Target

Pixels = npt.NDArray[np.uint8]
#: (n, s, s, 3) uint8 → (n, classes) logits, such as Runtime.logits.
Logits = Callable[[Pixels], npt.NDArray[np.floating]]
#: Looks done, looks in all; False asks to stop.
Progress = Callable[[int, int], bool | None]
BATCH = 32
_ONLY_CLASSES = "Only a class, or a class against another, can be watched while parts of the photo are hidden."


class ExplanationStopped(Exception):
    """The progress callback asked to stop.

    There is no partial result: a map of too few looks is like any other to the eye, and nobody could tell.
    """


def probability(logits: npt.NDArray[np.floating], target: Target, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """What is watched, for each row of logits.

    Args:
        logits: (n, classes); column j is label j + 1.
        target: a class, or a class against another.
        temperature: divides the logits, > 0.

    Returns:
        (n,) in 0…1: the class's probability; of a contrast p_label / (p_label + p_rival).

    Raises:
        ValueError: where a label does not exist, or the target is a neighbour, which logits do not tell about.
    """
    if isinstance(target, ClassTarget):
        _check_label(target.label, logits)
        return softmax(logits.astype(np.float64) / temperature, axis=1)[:, target.label - 1]
    if isinstance(target, ContrastTarget):
        return expit(log_odds(logits, target, temperature))
    raise ValueError(_ONLY_CLASSES)


def log_odds(logits: npt.NDArray[np.floating], target: Target, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """The logit of what is watched, log p − log (1 − p), for each row of logits.

    Taken from the logits themselves: of a probability that rounds to 1 it could not be told any more.

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
        _check_label(target.label, logits)
        scaled = logits.astype(np.float64) / temperature
        return scaled[:, target.label - 1] - logsumexp(np.delete(scaled, target.label - 1, axis=1), axis=1)
    if isinstance(target, ContrastTarget):
        _check_label(target.label, logits)
        _check_label(target.rival, logits)
        return (logits[:, target.label - 1].astype(np.float64) - logits[:, target.rival - 1]) / temperature
    raise ValueError(_ONLY_CLASSES)


def ask(
    model: Logits,
    versions: Iterable[Pixels],
    target: Target,
    temperature: float = 1.0,
    *,
    total: int,
    progress: Progress | None = None,
) -> npt.NDArray[np.float64]:
    """The probability in each version of the photo.

    Args:
        model: photos to logits.
        versions: batches (n, s, s, 3), made one at a time: all of them would fill the memory.
        target: what is watched.
        temperature: of the softmax.
        total: photos in all batches together.
        progress: called with (looks done, total) before the first batch and after each.

    Returns:
        (total,) float64, in the order of the versions.

    Raises:
        ExplanationStopped: where `progress` returned False.
    """
    report(progress, 0, total)
    found: list[npt.NDArray[np.float64]] = []
    done = 0
    for batch in versions:
        found.append(probability(model(batch), target, temperature))
        done += len(batch)
        report(progress, done, total)
    return np.concatenate(found)


def report(progress: Progress | None, done: int, total: int) -> None:
    """Tell how far it is; raises ExplanationStopped where the answer is False."""
    # `is False` and not falsy: a callback that returns nothing means to go on.
    if progress is not None and progress(done, total) is False:
        raise ExplanationStopped(f"Stopped after {done} of {total} looks at the photo.")


def _check_label(label: int, logits: npt.NDArray[np.floating]) -> None:
    if not 1 <= label <= logits.shape[1]:
        raise ValueError(f"There is no label {label}: this model knows 1…{logits.shape[1]}.")
