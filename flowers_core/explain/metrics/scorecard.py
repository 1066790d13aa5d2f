"""Methods against each other over many photos: how faithful, how stable, how fast, each with an interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from flowers_core.explain.explanation import Target
from flowers_core.explain.methods import Method, Subject
from flowers_core.explain.metrics.agreement import agreement
from flowers_core.explain.metrics.faithfulness import Chance, measure

#: Standard deviation, in grey levels, of the noise that no eye sees and no map should mind.
JITTER = 2.0
_DRAWS = 2000
#: What a method has to beat: maps that know nothing of the photo, and one that says "the middle".
BASELINES = ("random", "centre")


@dataclass(frozen=True)
class Score:
    """One method on one photo.

    Attributes:
        photo_id: of the data set.
        method: its name.
        deletion: area under the deletion curve, the lower the better.
        insertion: area under the insertion curve, the higher the better.
        deletion_beats: share of random maps with a larger deletion area.
        insertion_beats: share of random maps with a smaller insertion area.
        beats_centre: 0, ½ or 1: in which of deletion and insertion it is better than a map of the middle.
        stability: rank correlation with a second run, with another seed and invisible noise on the photo.
        stability_overlap: share of the brightest fifth that stays in that run.
        seconds: of the first run.
    """

    photo_id: int
    method: str
    deletion: float
    insertion: float
    deletion_beats: float
    insertion_beats: float
    beats_centre: float
    stability: float
    stability_overlap: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """A flat object."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Score:
        """Back again. Raises TypeError where entries are missing or unknown."""
        return cls(**record)


FIGURES = tuple(entry.name for entry in fields(Score) if entry.name not in ("photo_id", "method"))


@dataclass(frozen=True)
class Figure:
    """A mean over photos with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def score(
    method: Method, subject: Subject, jittered: Subject, target: Target, photo_id: int, chance: Chance | None = None
) -> tuple[Score, Chance]:
    """Explain a photo twice and measure the first map.

    Args:
        method: which.
        subject: the photo.
        jittered: the same photo with invisible noise (`jitter`), as the same model sees it.
        target: what is explained.
        photo_id: for the record.
        chance: of this photo and target, where it is known.

    Returns:
        The score, and chance for the next method.
    """
    first = method.explain(subject, target, seed=0)
    second = method.explain(jittered, target, seed=1)
    found = measure(subject.logits, subject.pixels, first, temperature=subject.temperature, chance=chance)
    alike = agreement(first, second, subject.pixels.shape[0])
    return (
        Score(
            photo_id=photo_id,
            method=method.name,
            deletion=found.curves.deletion_auc,
            insertion=found.curves.insertion_auc,
            deletion_beats=found.deletion_beats,
            insertion_beats=found.insertion_beats,
            beats_centre=float(np.mean(found.beats_the_centre)),
            stability=alike.rank_correlation,
            stability_overlap=alike.overlap,
            seconds=first.seconds,
        ),
        found.chance,
    )


def baseline_scores(photo_id: int, chance: Chance) -> tuple[Score, Score]:
    """What `BASELINES` reach on a photo, as if they were methods: the mean of the random maps, and the centred one.

    A random map shares nothing with the next one but by chance; the centred one is always itself.
    """
    random, centre = chance.random, chance.centred
    deletion = [curves.deletion_auc for curves in random]
    insertion = [curves.insertion_auc for curves in random]
    centre_deletion, centre_insertion = centre.deletion_auc, centre.insertion_auc
    beats = [(d < centre_deletion) / 2 + (i > centre_insertion) / 2 for d, i in zip(deletion, insertion, strict=True)]
    return (
        Score(
            photo_id=photo_id,
            method="random",
            deletion=float(np.mean(deletion)),
            insertion=float(np.mean(insertion)),
            deletion_beats=0.5,
            insertion_beats=0.5,
            beats_centre=float(np.mean(beats)),
            stability=0.0,
            stability_overlap=0.2,
            seconds=0.0,
        ),
        Score(
            photo_id=photo_id,
            method="centre",
            deletion=centre_deletion,
            insertion=centre_insertion,
            deletion_beats=float(np.mean([other > centre_deletion for other in deletion])),
            insertion_beats=float(np.mean([other < centre_insertion for other in insertion])),
            beats_centre=0.5,
            stability=1.0,
            stability_overlap=1.0,
            seconds=0.0,
        ),
    )


def jitter(pixels: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
    """The photo with normal noise of JITTER grey levels, (s, s, 3) uint8."""
    noise = np.random.default_rng(seed).normal(scale=JITTER, size=pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def scorecard(scores: Iterable[Score], *, seed: int = 0) -> dict[str, dict[str, Figure]]:
    """The mean of each figure for each method, over the photos that every method has.

    Args:
        scores: of any photos and methods.
        seed: of the bootstrap, which draws photos, the same for all methods: differences are not blurred by photos.

    Returns:
        method → figure → mean and interval; empty where no photo has all methods.
    """
    by_method: dict[str, dict[int, Score]] = {}
    for found in scores:
        by_method.setdefault(found.method, {})[found.photo_id] = found
    shared = sorted(set.intersection(*(set(photos) for photos in by_method.values()))) if by_method else []
    if not shared:
        return {}
    draws = np.random.default_rng(seed).integers(0, len(shared), size=(_DRAWS, len(shared)))
    return {
        method: {name: _figure(np.array([getattr(photos[photo], name) for photo in shared]), draws) for name in FIGURES}
        for method, photos in by_method.items()
    }


def with_pixels(subject: Subject, pixels: npt.NDArray[np.uint8], features: npt.NDArray[np.floating]) -> Subject:
    """The same model looking at other pixels in the same frame."""
    return replace(subject, pixels=pixels, features=features)


def _figure(values: npt.NDArray[np.float64], draws: npt.NDArray[np.integer]) -> Figure:
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return Figure(float(values.mean()), float(low), float(high))
