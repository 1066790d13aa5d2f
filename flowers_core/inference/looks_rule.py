"""How the whole photo and crops of it become one answer, and from when on that answer is without doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.inference.prediction import softmax

# Beyond so many a probability is 0 or 1 for all purposes.
_MOST_NATS = 10.0
#: The bar of answers that are never given without doubt.
NEVER = 2.0


@dataclass(frozen=True)
class LooksCertainty:
    """How probable it is that the answer of all looks is right, where crops decided it: a logistic regression.

    Attributes:
        intercept: in nats.
        together: the weight of the answer's log-odds in all looks together.
        whole: the weight of its log-odds in the whole photo.
        agreement: the weight, in nats, of the fraction of the crops that name it.
        likeness: the weight, in nats, of the fraction of the crops that name it and look like it; 0 where that was not
            fitted.
    """

    intercept: float
    together: float
    whole: float
    agreement: float
    likeness: float = 0.0

    def probability(
        self, together: ArrayLike, whole: ArrayLike, agreement: ArrayLike, likeness: ArrayLike
    ) -> NDArray[np.float64]:
        """The probability that each of n answers is right.

        Args:
            together, whole: (n,), its probability in all looks together and in the whole photo.
            agreement: (n,), the fraction of the crops that name it.
            likeness: (n,), the fraction of the crops that name it and look like it.

        Returns:
            (n,) float64 in (0, 1).
        """
        weights = np.array([self.together, self.whole, self.agreement, self.likeness])
        nats = self.intercept + looks_signals(together, whole, agreement, likeness) @ weights
        probability: NDArray[np.float64] = 1 / (1 + np.exp(-nats))
        return probability


@dataclass(frozen=True)
class LooksRule:
    """How the whole photo and its crops become one answer.

    The mean q of the probabilities is taken over the `share` of the crops that are surest of whatever they show: the
    others mostly show leaves. The answer's probabilities are proportional to p ** whole_weight · (q + floor) **
    crops_weight, where p are those of the whole photo.

    Attributes:
        share: in (0, 1]; at least one crop counts.
        whole_weight, crops_weight: above 0.
        floor: above 0; what a class is left with that no crop names.
        naming: in [0, 1], the probability from which on a crop names its flower.
        sure_from: in [0, 1], the least probability of an answer that is given without doubt.
        novel_sure_from: the same where the whole photo looks like none of the flowers; above 1 where no probability is
            enough.
        certainty: what makes the probability of an answer that crops decided; None leaves it as it is.
        asks_novel: whether crops are asked where the whole photo looks like none of the flowers.
    """

    share: float
    whole_weight: float
    crops_weight: float
    floor: float
    naming: float
    sure_from: float
    novel_sure_from: float = NEVER
    certainty: LooksCertainty | None = None
    asks_novel: bool = True

    def __post_init__(self) -> None:
        if not (0 < self.share <= 1 and min(self.whole_weight, self.crops_weight, self.floor) > 0):
            raise ValueError("the share of a rule for looks lies between 0 and 1; its weights and floor are above 0.")


# For bundles without a fitted confidence; those with one have a rule of their own (`evaluation.looks_fit`). Chosen by
# the likelihood of the true classes of doubtful validation photos, 110 clean ones and 158 under all fourteen
# corruptions, as efficientnet_lite0_small reads them by its confidence and by its temperature. Of these 62 and 53 % are
# named rightly from one look, 66 and 67 % from all. Tried instead: each class's own strongest crops, geometric means,
# leaving out each crop that looks like no flower; the number of agreeing crops adds nothing to the probability. From
# `sure_from` on, 98 % of the answers are right by both readings together. Where no crop that names the answer looks
# like it, the whole photo's answer stays: of 102 other validation photos under motion blur 57 % of the doubtful ones
# are then named rightly, of the small ones 86 % (one look 60 and 44 %, all looks without that condition 42 and 86 %).
LOOKS_RULE = LooksRule(share=1 / 3, whole_weight=0.4, crops_weight=0.8, floor=0.001, naming=0.5, sure_from=0.93)


def looks_rule(sure_from: float) -> LooksRule:
    """`LOOKS_RULE` for a bundle to which no rule was fitted.

    Args:
        sure_from: its least probability of an answer without doubt; several looks ask for no less.
    """
    return replace(LOOKS_RULE, sure_from=max(LOOKS_RULE.sure_from, sure_from))


def combined(
    whole: NDArray[np.float64], crops: NDArray[np.float64], rule: LooksRule = LOOKS_RULE
) -> NDArray[np.float64]:
    """The probabilities of the classes from all looks.

    Args:
        whole: (classes,), of the whole photo.
        crops: (n, classes), of its crops, at least one.
        rule: what counts how much.

    Returns:
        (classes,) float64, sums to 1.
    """
    return weighed(whole, surest_mean(crops, rule.share), rule)


def surest_mean(crops: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The mean of the crops that are surest of whatever they show.

    Args:
        crops: (n, classes), the probabilities of each crop, n ≥ 1.
        share: of the crops that count, in (0, 1]; at least one does.

    Returns:
        (classes,) float64.
    """
    surest = np.argsort(-crops.max(axis=1), kind="stable")[: ceil(share * len(crops))]
    mean: NDArray[np.float64] = crops[surest].mean(axis=0)
    return mean


def weighed(whole: NDArray[np.float64], named: NDArray[np.float64], rule: LooksRule) -> NDArray[np.float64]:
    """The probabilities from the whole photo and the crops' mean, by the weights of a rule.

    Args:
        whole, named: (…, classes), of the same shape.
        rule: has the weights and the floor.

    Returns:
        The same shape, float64; the last axis sums to 1.
    """
    nats = rule.whole_weight * np.log(np.maximum(whole, 1e-6)) + rule.crops_weight * np.log(named + rule.floor)
    return softmax(nats)


def looks_signals(
    together: ArrayLike, whole: ArrayLike, agreement: ArrayLike, likeness: ArrayLike
) -> NDArray[np.float64]:
    """What `LooksCertainty` weighs.

    Args:
        together, whole, agreement, likeness: (n,), as there.

    Returns:
        (n, 4) float64: two log-odds in nats, and two fractions.
    """
    odds = [[log_odds_of(probability) for probability in np.asarray(each).tolist()] for each in (together, whole)]
    fractions = [np.asarray(each, np.float64) for each in (agreement, likeness)]
    return np.stack([*np.clip(odds, -_MOST_NATS, _MOST_NATS), *fractions], axis=1)


def agreeing_crops(
    crops: NDArray[np.float64], familiar: NDArray[np.bool_], column: int, rule: LooksRule = LOOKS_RULE
) -> NDArray[np.int64]:
    """The crops that name a class, where one of them looks like it; else none.

    Crops of a toadstool may all say cyclamen. They are believed where one looks like what it names.

    Args:
        crops: (n, classes), the probabilities of each crop.
        familiar: (n,), whether each looks like the flower that it is called.
        column: of the class.
        rule: from which probability on a crop names a flower.

    Returns:
        Their rows.
    """
    names = (crops.argmax(axis=1) == column) & (crops[:, column] >= rule.naming)
    return np.flatnonzero(names) if (names & familiar).any() else np.empty(0, np.int64)


def log_odds_of(probability: float) -> float:
    """The log-odds of a probability in [0, 1], in nats; certainty has 27.6 at most, and the impossible as few."""
    # In double precision a calibrated probability can round to 1.
    odds = probability / max(1 - probability, 1e-12)
    return log(max(odds, 1e-12))
