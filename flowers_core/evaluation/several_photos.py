"""Measures answers to several photos of one plant: photos of one class are dealt into plants.

The photos of a class mostly show different plants on different days. Photos that a person takes of one plant have more
in common, errors too, so the gain on these is smaller.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowers_core.inference.prediction import log_softmax
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.records.several_photos import SeveralPhotosFigures
from flowers_core.inference.several_photos import odd_ones, together


def deal(labels: NDArray[np.integer], photos: int, rounds: int, seed: int) -> NDArray[np.int64]:
    """Deal the photos of each class into plants; those left over in a round are left out.

    Args:
        labels: (n,).
        photos: of each plant.
        rounds: how often to deal.
        seed: of the dealing.

    Returns:
        (plants, photos) positions among the n photos.
    """
    generator = np.random.default_rng(seed)
    dealt = []
    for _ in range(rounds):
        for label in np.unique(labels):
            of_class = generator.permutation(np.flatnonzero(labels == label))
            whole = len(of_class) // photos
            dealt.append(of_class[: whole * photos].reshape(whole, photos))
    return np.concatenate(dealt)


def with_strangers(plants: NDArray[np.int64], labels: NDArray[np.integer], seed: int) -> NDArray[np.int64]:
    """The plants with a photo of another class as the last of each.

    Args:
        plants: (plants, photos) positions, as `deal` gives them.
        labels: (n,), of at least two classes.
        seed: draws the strangers.
    """
    generator = np.random.default_rng(seed)
    replaced = plants.copy()
    for plant in replaced:
        others = np.flatnonzero(labels != labels[plant[0]])
        plant[-1] = generator.choice(others)
    return replaced


def several_photos_figures(
    logits: NDArray[np.floating],
    labels: NDArray[np.integer],
    calibration: Calibration,
    *,
    photos: int,
    rounds: int,
    seed: int,
) -> SeveralPhotosFigures:
    """The figures of plants dealt from n answered photos.

    Args:
        logits: (n, classes).
        labels: (n,), 1-based.
        calibration: of the model.
        photos: of each plant.
        rounds, seed: as in `deal`.
    """
    found = log_softmax(logits, calibration.temperature)
    plants = deal(labels, photos, rounds, seed)
    truth = labels[plants[:, 0]] - 1
    scores = together(found[plants])
    right = scores.argmax(axis=1) == truth
    sure = _sure(scores, calibration)
    strangers = found[with_strangers(plants, labels, seed + 1)]
    answers = together(strangers).argmax(axis=1)
    odd = odd_ones(strangers, answers)
    return SeveralPhotosFigures(
        plants=len(plants),
        error_of_one=float((found.argmax(axis=1) + 1 != labels)[plants].mean()),
        error=float(1 - right.mean()),
        sure=float(sure.mean()),
        sure_top1=float(right[sure].mean()) if sure.any() else None,
        wrongly_odd=float(odd_ones(found[plants], scores.argmax(axis=1)).any(axis=1).mean()),
        stranger_error=float((answers != truth).mean()),
        stranger_found=float((odd[:, -1] & (odd.sum(axis=1) == 1)).mean()),
    )


def _sure(scores: NDArray[np.float64], calibration: Calibration) -> NDArray[np.bool_]:
    """Which answers are "sure" by the rule of `predict`: one class in the set, and probable enough."""
    probabilities = np.exp(log_softmax(scores))
    in_set = (1 - probabilities <= calibration.conformal_threshold).sum(axis=1)
    return (in_set == 1) & (probabilities.max(axis=1) >= calibration.unsure_below)
