"""Fit the model of confidence, the rule of novelty and the rule for sets to photos a network has not learnt from.

What is fitted: a logistic regression on the signals of clean and corrupted validation photos, which weigh the same in
sum, and of pictures without a flower, which weigh little, since they are to be told and not to make flowers doubtful;
then a monotone curve through the scores that photos got while they were held out. Where flowers that the network does
not know are to be told, too, each class stands for one: its photos, read as if the head lacked it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from flowers_core.errors import FlowersError
from flowers_core.evaluation.evidence import Observed
from flowers_core.evaluation.risk_coverage import confidence_curve
from flowers_core.inference.confidence import Evidence, signals_of, tempered
from flowers_core.inference.confidence_model import SIGNALS, ConfidenceModel
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.novelty import NoveltyRule
from flowers_core.inference.prediction_set import SetRule, in_set
from flowers_core.inference.records.confidence import ConfidenceRecord

# What all pictures without a flower weigh, where the clean photos weigh 1. Of 0.05, 0.1 and 0.25 the first costs the
# flowers least, and leaves one picture of 656 a confidence above 0.9; 0 leaves 31.
WEIGHT_OF_OTHERS = 0.05
# What all photos weigh that stand for unknown flowers. Of 0.05, 0.25 and 1, tried with one network of five flowers, a
# larger one leaves fewer of 300 photos of others a confidence above 0.9 (29, 21, 17 %), and of its own 100, 99, 99 %.
WEIGHT_OF_UNKNOWN = 0.25
REGULARIZATIONS = (0.03, 0.3, 3.0)
FOLDS = 5
# So many clean photos must be named rightly.
ENOUGH = 20
# An answer is given without doubt from the confidence on at which so many answers to clean and to corrupted photos are
# right, and from this one on at the earliest: other people's photos are harder than those of a data set.
SURE_ACCURACY, SURE_CORRUPTED_ACCURACY = 0.995, 0.98
LEAST_SURE = 0.9
# The share of clean validation photos that look like a flower to the novelty rule.
ACCEPTED = 0.98
# The least deviations of −log(distance) and of the log-odds, in nats, where a few photos answer nearly alike.
_LEAST_DEVIATIONS = (0.05, 0.5)
# What sets must cover on validation photos, and the rules that are tried.
COVERAGE, CORRUPTED_COVERAGE = 0.95, 0.94
_MASSES = np.round(np.arange(0.5, 1.0, 0.025), 3)
_LEAST = (0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07)


class ConfidenceError(FlowersError):
    """Answers that nothing about their certainty can be learnt from; the message says why."""


def fit_confidence(
    space: DiscriminantSpace,
    training: Observed,
    clean: Observed,
    corrupted: Observed,
    others: Observed,
    *,
    unknown: bool = False,
) -> ConfidenceModel:
    """The model of confidence of a network.

    Args:
        space: of the network.
        training: its training photos, which standardize the signals.
        clean: photos that it has not learnt from.
        corrupted: corrupted versions of these, of the same groups.
        others: pictures without a flower.
        unknown: also learn to tell flowers that the network does not know; with two classes nothing stands for any.

    Raises:
        ConfidenceError: fewer than `ENOUGH` of the clean photos are named rightly.
    """
    if clean.right.sum() < ENOUGH:
        raise ConfidenceError(
            f"{clean.right.sum()} of {len(clean)} validation photos are named rightly; how sure the model may be takes "
            f"{ENOUGH} at least."
        )
    parts, shares = [clean, corrupted, others], [1.0, 1.0, WEIGHT_OF_OTHERS]
    signals = np.concatenate([signals_of(part.evidence, space) for part in parts])
    right = np.concatenate([part.right for part in parts])
    if unknown and clean.surest_without is not None:
        parts, shares = [*parts, clean], [*shares, WEIGHT_OF_UNKNOWN]
        signals = np.concatenate([signals, unknown_signals(space, clean)])
        right = np.concatenate([right, np.zeros(len(clean), bool)])
    weights = np.concatenate([np.full(len(p), w / len(p)) for p, w in zip(parts, shares, strict=True)])
    weights *= len(clean)
    folds = _folds([part.groups for part in parts])
    means, deviations = standardization(space, training)
    standardized = (signals - means) / deviations
    held_out = {c: _held_out_scores(standardized, right, weights, folds, c) for c in REGULARIZATIONS}
    chosen = min(held_out, key=lambda c: _loss(held_out[c], right, weights))
    flowers = np.arange(len(right)) < len(clean) + len(corrupted)
    scores, log_odds = _monotone_curve(held_out[chosen][flowers], right[flowers], weights[flowers])
    fitted = _regression(chosen).fit(standardized, right, sample_weight=weights)
    model = ConfidenceModel(
        means=means,
        deviations=deviations,
        coefficients=tuple(fitted.coef_[0].tolist()),
        intercept=float(fitted.intercept_[0]),
        scores=scores,
        log_odds=log_odds,
        sure_from=1.0,
    )
    confidence = model.confidence(signals)
    ends = (len(clean), len(clean) + len(corrupted))
    sure_from = max(
        least_reliable(confidence[: ends[0]], clean.right, SURE_ACCURACY),
        least_reliable(confidence[ends[0] : ends[1]], corrupted.right, SURE_CORRUPTED_ACCURACY),
        LEAST_SURE,
    )
    return replace(model, sure_from=sure_from)


def unknown_signals(space: DiscriminantSpace, photos: Observed) -> NDArray[np.float64]:
    """The `SIGNALS` of photos, had the network not learnt the class of each.

    The head and the space lack the class; the embeddings still come from a network that learnt it, so a flower that is
    truly unknown is harder to tell.

    Args:
        space: of the network.
        photos: n photos of flowers, with `surest_without`.

    Returns:
        (n, 5) float64.
    """
    assert photos.surest_without is not None
    surest = photos.surest_without
    found = np.empty((len(photos), len(SIGNALS)))
    for label in np.unique(photos.labels).tolist():
        own, column = photos.labels == label, label - 1
        evidence = Evidence(
            np.delete(photos.evidence.logits[own], column, axis=1), photos.evidence.embeddings[own], surest[own]
        )
        found[own] = signals_of(evidence, replace(space, prototypes=np.delete(space.prototypes, column, axis=0)))
    return found


def standardization(space: DiscriminantSpace, training: Observed) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The mean and deviation of each of `SIGNALS` over a network's training photos.

    Args:
        space: of the network.
        training: its training photos.

    Returns:
        The means and the deviations, one for each signal in their order; no deviation is below 1e-6.
    """
    signals = signals_of(training.evidence, space)
    return tuple(signals.mean(axis=0).tolist()), tuple(np.maximum(signals.std(axis=0), 1e-6).tolist())


def least_reliable(confidence: NDArray[np.float64], right: NDArray[np.bool_], accuracy: float) -> float:
    """The least confidence such that enough of the answers of that confidence or more are right.

    Args:
        confidence: (n,) of the answers, in [0, 1].
        right: (n,), which of them are right.
        accuracy: the share of right ones that is enough, in [0, 1].

    Returns:
        In [0, 1]; 1 where there is no such confidence.
    """
    curve = confidence_curve(confidence, right)
    enough = np.flatnonzero(curve.accuracy >= accuracy)
    return float(curve.thresholds[enough[-1]]) if len(enough) else 1.0


def fit_novelty(space: DiscriminantSpace, clean: Observed) -> NoveltyRule:
    """The rule of what looks like none of the flowers.

    Args:
        space: of the network.
        clean: photos of flowers that it has not learnt from.

    Returns:
        The rule, whose threshold a share of `ACCEPTED` of these photos passes.
    """
    signals = signals_of(clean.evidence, space)
    nearness, odds = signals[:, SIGNALS.index("nearness")], signals[:, SIGNALS.index("log_odds")]
    rule = NoveltyRule(
        distance_mean=float(nearness.mean()),
        distance_deviation=max(float(nearness.std()), _LEAST_DEVIATIONS[0]),
        odds_mean=float(odds.mean()),
        odds_deviation=max(float(odds.std()), _LEAST_DEVIATIONS[1]),
        threshold=0.0,
        accepted=ACCEPTED,
    )
    threshold = float(np.quantile(rule.familiarity(nearness, odds), 1 - ACCEPTED))
    return replace(rule, threshold=threshold)


def fit_sets(space: DiscriminantSpace, model: ConfidenceModel, clean: Observed, corrupted: Observed) -> SetRule:
    """The rule for sets: the smallest, over clean and corrupted photos alike, that covers enough of both.

    Args:
        space: of the network.
        model: its confidence.
        clean: photos that it has not learnt from.
        corrupted: corrupted versions of these.

    Returns:
        The rule; where none covers enough of both, the one that covers most of the corrupted photos.
    """
    read = [
        (tempered(part.evidence.logits, model.confidence(signals_of(part.evidence, space))), part.labels)
        for part in (clean, corrupted)
    ]
    found = []
    for mass in _MASSES.tolist():
        for least in _LEAST:
            chosen = [(in_set(probabilities, mass, least), labels) for probabilities, labels in read]
            covered = [float(sets[np.arange(len(labels)), labels - 1].mean()) for sets, labels in chosen]
            sizes = [float(sets.sum(axis=1).mean()) for sets, _ in chosen]
            found.append(SetRule(mass, least, *covered, *sizes))
    enough = [r for r in found if r.coverage >= COVERAGE and r.corrupted_coverage >= CORRUPTED_COVERAGE]
    if not enough:
        return max(found, key=lambda rule: rule.corrupted_coverage)
    return min(enough, key=lambda rule: rule.size + rule.corrupted_size)


def _folds(groups: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """A fold for each photo of each part, the same for all versions of a photo."""
    every = np.concatenate(groups)
    distinct, row = np.unique(every, return_inverse=True)
    return (np.random.default_rng(0).permutation(len(distinct)) % FOLDS)[row]


def _regression(regularization: float) -> LogisticRegression:
    return LogisticRegression(C=regularization, max_iter=5000)


def _held_out_scores(
    signals: NDArray[np.float64],
    right: NDArray[np.bool_],
    weights: NDArray[np.float64],
    folds: NDArray[np.int64],
    regularization: float,
) -> NDArray[np.float64]:
    scores = np.empty(len(right))
    for fold in range(FOLDS):
        inside = folds == fold
        fitted = _regression(regularization).fit(signals[~inside], right[~inside], sample_weight=weights[~inside])
        scores[inside] = fitted.decision_function(signals[inside])
    return scores


def _loss(scores: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    return float((weights * np.logaddexp(0, np.where(right, -scores, scores))).sum() / weights.sum())


def _monotone_curve(
    scores: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Isotonic regression with its steps joined by lines through their middles (Oron and Flournoy 2017).

    Each step counts one more photo, half of it right, so that no probability is 0 or 1. Joined, the curve keeps the
    order of the scores, which steps would lose.
    """
    steps = IsotonicRegression().fit(scores, right, sample_weight=weights).predict(scores)
    middles, nats = [], []
    for step in np.unique(steps):
        inside = steps == step
        weight = weights[inside]
        share = ((weight * right[inside]).sum() + weight.mean() / 2) / (weight.sum() + weight.mean())
        middles.append(float(np.average(scores[inside], weights=weight)))
        nats.append(float(np.log(share / (1 - share))))
    if len(middles) == 1:
        return (middles[0], middles[0] + 1), (nats[0], nats[0] + 1)
    return tuple(middles), tuple(np.maximum.accumulate(nats).tolist())


def transferred(record: ConfidenceRecord, counterpart: str) -> ConfidenceRecord:
    """The rules of a counterpart for a network of the same recipe that has learnt from the validation photos too.

    They are taken over as they are. To standardize the signals by each network's own training photos made the answers
    to test photos overconfident (results.md): the signals of more training photos scatter more, so a weak one looked
    less weak.

    Args:
        record: of the counterpart.
        counterpart: its name; where it took the rules of another one itself, that one's stays.
    """
    source = replace(record.source, model=record.source.model or counterpart)
    return replace(record, source=source, figures={}, novelty_figures={})
