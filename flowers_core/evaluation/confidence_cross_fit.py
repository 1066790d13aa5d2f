"""How right the rules of confidence are about photos that they were not fitted to, without any photos put aside.

The photos are dealt into two parts. Rules are fitted to each, and tell of the other; together they tell of all photos
once. The rules that a bundle keeps are fitted to both parts, so they are, if anything, better than these figures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowers_core.evaluation.confidence_fit import fit_confidence, fit_novelty, fit_sets
from flowers_core.evaluation.confidence_report import Rules, Told, told_by, told_figures
from flowers_core.evaluation.evidence import Observed
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.records.confidence import ConfidenceFigures


def cross_fitted_figures(
    space: DiscriminantSpace,
    training: Observed,
    clean: Observed,
    corrupted: Observed,
    others: Observed,
    *,
    temperature: float,
    unknown: bool = False,
    resamples: int = 1000,
) -> dict[str, ConfidenceFigures]:
    """The figures of rules that are fitted to one half of the photos, on the other half.

    Args:
        space: of the network, from its training photos.
        training: these.
        clean, corrupted: photos that it has not learnt from; all versions of a photo are in one half.
        others: pictures without a flower; they help to fit both.
        temperature: that the rules are compared with.
        unknown: as for `fit_confidence`.
        resamples: of the bootstrap, from which the interval of AURC's gain comes.

    Returns:
        Those of the clean and of the corrupted photos, as "clean" and "corrupted".

    Raises:
        ConfidenceError: a half has too few photos that are named rightly.
    """
    halves = _halves(clean.groups)
    told: dict[str, list[Told]] = {"clean": [], "corrupted": []}
    for half in (0, 1):
        inside = [np.isin(part.groups, halves[half]) for part in (clean, corrupted)]
        fitted = clean.select(inside[0]), corrupted.select(inside[1])
        model = fit_confidence(space, training, *fitted, others, unknown=unknown)
        rules = Rules(space, model, fit_novelty(space, fitted[0]), fit_sets(space, model, *fitted), temperature)
        told["clean"].append(told_by(rules, clean.select(~inside[0])))
        told["corrupted"].append(told_by(rules, corrupted.select(~inside[1])))
    return {kind: told_figures(parts, resamples=resamples) for kind, parts in told.items()}


def _halves(groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    drawn = np.random.default_rng(0).permutation(np.unique(groups))
    return drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
