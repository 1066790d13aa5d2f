"""What is split where a class is set against all others: the log-odds, to first order.

A logit alone says little: the same number added to all logits changes no answer and yet moves the evidence. The
log-odds of class k, log(p / (1 − p)), have in the embedding the gradient W_k − Σ_j q_j W_j over the rivals j, where q_j
is the probability of j given that it is not k. Like any gradient at the last feature map this direction makes a
Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391), of the log-odds rather than the logit. For a class against another
it is W_k − W_m.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from flowers_core.explain.attributions.cam import ONLY_CLASSES, class_weights
from flowers_core.explain.explanation import ContrastTarget, FloatArray, NeighbourTarget, Target


def log_odds_direction(
    head: FloatArray, target: Target, logits: Callable[[], FloatArray], temperature: float
) -> npt.NDArray[np.float64]:
    """The direction in the embedding along which the target's log-odds grow fastest.

    Args:
        head: (c, classes); column j is label j + 1.
        target: a class, or a class against another.
        logits: returns the photo's (classes,), or (n, classes) of perturbed photos, over which the rivals'
            probabilities are averaged. Called for a class only: a contrast does not depend on them.
        temperature: of the softmax over the rivals, > 0.

    Returns:
        (c,) float64: the gradient, times the temperature.

    Raises:
        ValueError: if there is no such label, or the target is a neighbour.
    """
    if isinstance(target, NeighbourTarget):
        raise ValueError(ONLY_CLASSES)
    own = class_weights(head, target.label)
    if isinstance(target, ContrastTarget):
        return own - class_weights(head, target.rival)
    rivals = np.array(logits(), np.float64) / temperature
    rivals[..., target.label - 1] = -np.inf
    return own - head.astype(np.float64) @ np.atleast_2d(softmax(rivals, axis=-1)).mean(axis=0)
