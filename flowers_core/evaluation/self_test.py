"""A test of a person: do explanations help them to spot the model's mistakes?

Photos with the model's answer, half of them wrong, half of either kind shown with an explanation. The person says of
each whether the answer is right. With a handful of photos the figures are rough, so each has its interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flowers_core.evaluation.predictions import Predictions, PredictionsError

PHOTOS = 12
# 97.5 % quantile of the normal distribution.
_Z = 1.959964


@dataclass(frozen=True)
class Trial:
    """One photo that a person is asked about.

    Attributes:
        photo_id: which photo.
        label: what it shows, 1-based.
        predicted: what the model called it, 1-based.
        explained: whether it is shown with an explanation.
    """

    photo_id: int
    label: int
    predicted: int
    explained: bool

    @property
    def right(self) -> bool:
        """Whether the model's answer is right."""
        return self.label == self.predicted


@dataclass(frozen=True)
class Share:
    """How many of some photos were judged rightly, with the 95 % score interval of Wilson (1927).

    Attributes:
        hits: judged rightly.
        photos: judged.
    """

    hits: int
    photos: int

    @property
    def value(self) -> float:
        """The share, 0…1. There must be a photo."""
        return self.hits / self.photos

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0…1; all of it without photos."""
        if not self.photos:
            return 0.0, 1.0
        square = _Z**2 / self.photos
        middle = (self.value + square / 2) / (1 + square)
        half = _Z / (1 + square) * math.sqrt(self.value * (1 - self.value) / self.photos + square / self.photos / 4)
        return max(0.0, middle - half), min(1.0, middle + half)


def draw_trials(predictions: Predictions, seed: int, photos: int = PHOTOS) -> list[Trial]:
    """Photos to ask about, in a random order.

    Args:
        predictions: the model's, of photos that it did not learn from.
        seed: of the draw.
        photos: how many, divisible by 4: half of them wrong, and half of either kind explained.

    Raises:
        PredictionsError: if there are too few right or wrong answers.
        ValueError: if the number is not divisible by 4.
    """
    if photos < 4 or photos % 4:
        raise ValueError(f"The number of photos must be divisible by 4, and {photos} is not.")
    generator, trials = np.random.default_rng(seed), []
    right = predictions.predicted == predictions.labels
    for kind in (right, ~right):
        rows = np.flatnonzero(kind)
        if len(rows) < photos // 2:
            raise PredictionsError(f"The test needs {photos // 2} right and as many wrong answers; there are too few.")
        for number, row in enumerate(generator.choice(rows, photos // 2, replace=False)):
            photo_id, label = int(predictions.ids[row]), int(predictions.labels[row])
            trials.append(Trial(photo_id, label, int(predictions.predicted[row]), number % 2 == 0))
    return [trials[at] for at in generator.permutation(photos)]


def judged_rightly(trials: Sequence[Trial], said_right: Sequence[bool], *, explained: bool) -> tuple[Share, Share]:
    """How well a person judged the photos with explanations, or those without.

    Args:
        trials: the photos, as far as they were judged.
        said_right: for each, whether the person took the answer for right.
        explained: which of them are meant.

    Returns:
        The share of all of them that were judged rightly, and the share of the wrong answers that were spotted.
    """
    pairs = [(trial, said) for trial, said in zip(trials, said_right, strict=True) if trial.explained == explained]
    hits = [trial.right == said for trial, said in pairs]
    spotted = [not said for trial, said in pairs if not trial.right]
    return Share(sum(hits), len(hits)), Share(sum(spotted), len(spotted))
