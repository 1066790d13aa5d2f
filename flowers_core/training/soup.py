"""Model soups: the mean of the weights of several runs that were fine-tuned from one pretrained network.

Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
inference time" (arXiv 2203.05482). Such runs end in one wide basin of the loss. Its middle is more accurate than its
rim, most of all on photos unlike the training photos.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.inference.prediction import log_softmax
from flowers_core.networks.compiled import compiled
from flowers_core.training.averaging import Weights, running_mean

Score = tuple[float, float]
_BATCH = 32


class SoupError(FlowersError):
    """Models that cannot be averaged; the message says why."""


def uniform_soup(members: Sequence[Weights]) -> Weights:
    """The mean of the members' weights. Raises ValueError unless there is a member and all are of one network."""
    check_alike(members)
    mean = members[0]
    for count, weights in enumerate(members[1:], start=2):
        mean = running_mean(mean, weights, count)
    return mean


def greedy_soup(
    members: Sequence[Weights], score: Callable[[Weights], Score]
) -> tuple[list[int], list[tuple[int, Score]]]:
    """Which members to average: the best one, and then each, in order of score, that does not lower the mean's score.

    Args:
        members: of one network.
        score: of some weights on held-out photos, the higher the better; its first entry decides, the second breaks
            ties.

    Returns:
        The positions of the chosen members, in the order in which they were taken in; and (position, own score) of
        every member, best first.
    """
    check_alike(members)
    alone = sorted(
        ((position, score(weights)) for position, weights in enumerate(members)), key=lambda m: m[1], reverse=True
    )
    (first, best), *rest = alone
    chosen = [first]
    for position, _ in rest:
        tried = score(uniform_soup([members[p] for p in (*chosen, position)]))
        if tried >= best:
            chosen, best = [*chosen, position], tried
    return chosen, alone


def likelihood_and_accuracy(
    classifier: keras.Model, photos: NDArray[np.uint8], columns: NDArray[np.integer]
) -> Callable[[Weights], Score]:
    """A score for `greedy_soup`: the mean log-likelihood of held-out photos and, to break ties, their top-1.

    Args:
        classifier: of the members' network; its weights are overwritten.
        photos: (n, size, size, 3) uint8.
        columns: (n,) their classes, from 0.
    """
    answer = compiled(classifier)

    def score(weights: Weights) -> Score:
        classifier.set_weights(weights)
        logits = np.concatenate([answer(photos[start : start + _BATCH]) for start in range(0, len(photos), _BATCH)])
        likelihood = log_softmax(logits)[np.arange(len(photos)), columns].mean()
        return float(likelihood), float((logits.argmax(axis=1) == columns).mean())

    return score


def check_alike(members: Sequence[Weights]) -> None:
    """Raise SoupError unless the members are one or more sets of weights of equal shapes."""
    if not members:
        raise SoupError("A soup needs at least one model.")
    shapes = [weight.shape for weight in members[0]]
    for weights in members[1:]:
        if [weight.shape for weight in weights] != shapes:
            raise SoupError("These models are not of one network: their weights differ in number or shape.")
