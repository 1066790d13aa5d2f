"""The figures of a network's confidence: on photos of known flowers, and against pictures without a flower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from flowers_core.evaluation.calibration import confidence_ece, confidence_reliability
from flowers_core.evaluation.evidence import Observed
from flowers_core.evaluation.novelty_metrics import detection
from flowers_core.evaluation.risk_coverage import aurc_interval, confidence_curve
from flowers_core.inference.confidence import Evidence, signals_of, tempered
from flowers_core.inference.confidence_model import SIGNALS, ConfidenceModel
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.novelty import NoveltyRule, boundary_distances
from flowers_core.inference.prediction import softmax
from flowers_core.inference.prediction_set import SetRule, in_set
from flowers_core.inference.records.confidence import ConfidenceFigures, NoveltyFigures

_NEARNESS, _LOG_ODDS = SIGNALS.index("nearness"), SIGNALS.index("log_odds")


@dataclass(frozen=True, eq=False)
class Rules:
    """All that a network's confidence takes: its space, its rules, and the one temperature they are compared with."""

    space: DiscriminantSpace
    model: ConfidenceModel
    novelty: NoveltyRule
    sets: SetRule
    temperature: float


def confidence_figures(rules: Rules, observed: Observed, *, resamples: int = 1000) -> ConfidenceFigures:
    """The figures over photos of known flowers.

    Args:
        rules: of the network.
        observed: the photos, as it sees them.
        resamples: of the bootstrap, from which the interval of AURC's gain comes.
    """
    return told_figures([told_by(rules, observed)], resamples=resamples)


@dataclass(frozen=True, eq=False)
class Told:
    """What rules tell of n photos of known flowers.

    Attributes:
        right: (n,), whether the answer is.
        confidence: (n,), in [0, 1].
        top: (n,), the top probability at the one temperature.
        sure: (n,), whether the answer is given without doubt.
        covered: (n,), whether the prediction set holds the true class.
        size: (n,), classes in the set.
    """

    right: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    top: NDArray[np.float64]
    sure: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    size: NDArray[np.int64]


def told_by(rules: Rules, observed: Observed) -> Told:
    """What rules tell.

    Args:
        rules: of the network.
        observed: the photos, as it sees them.
    """
    logits, signals = observed.evidence.logits, signals_of(observed.evidence, rules.space)
    confidence = rules.model.confidence(signals)
    sets = in_set(tempered(logits, confidence), rules.sets.mass, rules.sets.least)
    return Told(
        observed.right,
        confidence,
        softmax(logits, rules.temperature).max(axis=1),
        _sure(rules, signals),
        sets[np.arange(len(observed)), observed.labels - 1],
        sets.sum(axis=1),
    )


def told_figures(parts: Sequence[Told], *, resamples: int = 1000) -> ConfidenceFigures:
    """The figures over all that was told, if by different rules.

    Args:
        parts: at least one, of different photos.
        resamples: as for `confidence_figures`.
    """
    right, confidence, top, sure, covered, size = (
        np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Told)
    )
    low, high = aurc_interval(confidence, top, right, resamples=resamples)
    return ConfidenceFigures(
        photos=len(right),
        top1=float(right.mean()),
        ece=confidence_ece(confidence, right),
        ece_temperature=confidence_ece(top, right),
        aurc=confidence_curve(confidence, right).aurc,
        aurc_temperature=confidence_curve(top, right).aurc,
        aurc_gain_low=low,
        aurc_gain_high=high,
        sure=float(sure.mean()),
        sure_top1=float(right[sure].mean()) if sure.any() else None,
        set_coverage=float(covered.mean()),
        set_size=float(size.mean()),
        reliability=confidence_reliability(confidence, right),
    )


def novelty_figures(
    rules: Rules, known: Observed, others: Observed, split: str, weights: NDArray[np.float32], *, resamples: int = 1000
) -> NoveltyFigures:
    """Photos of known flowers against pictures without one, by several scores.

    Args:
        rules: of the network.
        known: photos of its flowers, as it sees them.
        others: pictures without a flower, likewise.
        split: of the known photos, for the record.
        weights: (c, classes), the head's.
        resamples: of the bootstrap, from which the intervals come.
    """
    of_known, of_others = (_scores(rules, part.evidence, weights) for part in (known, others))
    signals = signals_of(others.evidence, rules.space)
    return NoveltyFigures(
        split=split,
        known=len(known),
        others=len(others),
        others_sure=int(_sure(rules, signals).sum()),
        others_flagged=int(_looks_like_none(rules, signals).sum()),
        scores={name: detection(of_known[name], of_others[name], resamples=resamples) for name in of_known},
    )


def _looks_like_none(rules: Rules, signals: NDArray[np.float64]) -> NDArray[np.bool_]:
    return rules.novelty.looks_like_none(signals[:, _NEARNESS], signals[:, _LOG_ODDS])


def _sure(rules: Rules, signals: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which answers are given without doubt, as `ConfidenceHead.predict` gives them."""
    confident = rules.model.confidence(signals) >= rules.model.sure_from
    return confident & ~_looks_like_none(rules, signals)


def familiarity_scores(
    space: DiscriminantSpace, novelty: NoveltyRule, evidence: Evidence, weights: NDArray[np.float32]
) -> dict[str, NDArray[np.float64]]:
    """The scores that tell what a network knows, each the larger the more familiar a photo is.

    Args:
        space: of the network.
        novelty: its rule.
        evidence: of n photos.
        weights: (c, classes), the head's.

    Returns:
        (n,) by the score's name.
    """
    signals = signals_of(evidence, space)
    largest = evidence.logits.max(axis=1).astype(np.float64)
    return {
        "max_probability": signals[:, _LOG_ODDS],
        "energy": largest + np.log(np.exp(evidence.logits - largest[:, None]).sum(axis=1)),
        "fdbd": boundary_distances(evidence.logits, evidence.embeddings, weights, space.mean),
        "prototype_distance": signals[:, _NEARNESS],
        "familiarity": novelty.familiarity(signals[:, _NEARNESS], signals[:, _LOG_ODDS]),
    }


def _scores(rules: Rules, evidence: Evidence, weights: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    confidence = rules.model.confidence(signals_of(evidence, rules.space))
    return {**familiarity_scores(rules.space, rules.novelty, evidence, weights), "confidence": confidence}
