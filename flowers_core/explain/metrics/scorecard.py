"""Methods compared over many photos: faithfulness, stability and time, each with an interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from flowers_core.explain.explanation import Target
from flowers_core.explain.methods import Method
from flowers_core.explain.metrics.agreement import agreement
from flowers_core.explain.metrics.closer_look import CLOSER_FIGURES, CloserLook, baseline_method
from flowers_core.explain.metrics.faithfulness import Baselines, measure
from flowers_core.explain.metrics.interval import Interval, bootstrap
from flowers_core.explain.subject import Subject

#: The baselines that a method has to beat: random maps, and a map of the centre.
BASELINES = ("random", "centre")
#: How many random maps each photo has. Many photos share the noise of each, so few are enough here.
RANDOM_MAPS = 4


@dataclass(frozen=True)
class Score:
    """One method on one photo.

    Attributes:
        photo_id: of the data set.
        method: its name.
        deletion: area under the deletion curve, 0…1, the lower the better.
        insertion: area under the insertion curve, 0…1, the higher the better.
        deletion_beats: fraction of the random maps with a larger deletion area.
        insertion_beats: fraction of the random maps with a smaller insertion area.
        beats_centre: 0, ½ or 1: whether neither, one or both of deletion and insertion are better than the centre's.
        stability: rank correlation with a second run, with another seed and invisible noise on the photo.
        stability_overlap: fraction of the brightest fifth that stays in that run.
        seconds: of the first run.
        road, consistency, responsiveness, mass, rank: see `closer_look.CLOSER_FIGURES`; None where the photo was not
            looked at closely, or the figure does not exist.
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
    road: float | None = None
    consistency: float | None = None
    responsiveness: float | None = None
    mass: float | None = None
    rank: float | None = None

    @property
    def gap(self) -> float:
        """Insertion − deletion, −1…1."""
        return self.insertion - self.deletion

    def to_json(self) -> dict[str, Any]:
        """A flat object."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Score:
        """Read what `to_json` made. Raises TypeError if entries are missing or unknown."""
        return cls(**record)


FIGURES = tuple(entry.name for entry in fields(Score) if entry.name not in ("photo_id", "method", *CLOSER_FIGURES))
#: By how much insertion − deletion is above that of the centre on the same photo.
OVER_CENTRE = "over_centre"


def score(
    method: Method,
    subject: Subject,
    noisy: Subject,
    target: Target,
    photo_id: int,
    baselines: Baselines | None = None,
    closer: CloserLook | None = None,
) -> tuple[Score, Baselines]:
    """Explain a photo twice and measure the first map.

    Args:
        method: the method to score.
        subject: the photo and the model.
        noisy: the same photo with invisible noise (`with_input_noise`), as the same model sees it.
        target: what is explained.
        photo_id: for the record.
        baselines: of this photo and target, if they were measured before.
        closer: the same photo, if it is looked at closely.

    Returns:
        The score, and the baselines for the next method.
    """
    first = method.explain(subject, target, seed=0)
    second = method.explain(noisy, target, seed=1)
    found = measure(subject, first, baselines=baselines, random_maps=RANDOM_MAPS)
    repeated = agreement(first, second, subject.size)
    return (
        Score(
            photo_id=photo_id,
            method=method.name,
            deletion=found.curves.deletion_auc,
            insertion=found.curves.insertion_auc,
            deletion_beats=found.deletion_beats,
            insertion_beats=found.insertion_beats,
            beats_centre=float(np.mean(found.beats_centre)),
            stability=repeated.rank_correlation,
            stability_overlap=repeated.overlap,
            seconds=first.seconds,
            **(closer.figures(method, first) if closer else {}),
        ),
        found.baselines,
    )


def baseline_scores(photo_id: int, baselines: Baselines, closer: CloserLook | None = None) -> tuple[Score, Score]:
    """The scores of `BASELINES` on a photo, as if they were methods: the mean of the random maps, and the centre.

    The stability of a random map is that of two independent maps. The centre is always the same.

    Args:
        photo_id: for the record.
        baselines: of this photo.
        closer: the same photo, if it is looked at closely.
    """
    random, centre = baselines.random, baselines.centre
    deletion = [curves.deletion_auc for curves in random]
    insertion = [curves.insertion_auc for curves in random]
    centre_deletion, centre_insertion = centre.deletion_auc, centre.insertion_auc
    beats = [(d < centre_deletion) / 2 + (i > centre_insertion) / 2 for d, i in zip(deletion, insertion, strict=True)]
    closely = {name: closer.figures(baseline_method(name)) if closer else {} for name in BASELINES}
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
            **closely["random"],
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
            **closely["centre"],
        ),
    )


def scorecard(scores: Iterable[Score], *, seed: int = 0) -> dict[str, dict[str, Interval]]:
    """The mean of each figure of each method, over the photos that every method has.

    Args:
        scores: of any photos and methods.
        seed: of the bootstrap, which draws the same photos for all methods.

    Returns:
        method → figure → mean and interval; empty if no photo has all methods. Among the figures are "gap" (insertion −
        deletion) and, where the centre was scored, OVER_CENTRE (the gap less the centre's on the same photo). A closer
        figure is over the photos that have it, and is missing if there are none.
    """
    by_method: dict[str, dict[int, Score]] = {}
    for found in scores:
        by_method.setdefault(found.method, {})[found.photo_id] = found
    shared = sorted(set.intersection(*(set(photos) for photos in by_method.values()))) if by_method else []
    if not shared:
        return {}
    card: dict[str, dict[str, Interval]] = {}
    for method, photos in by_method.items():
        values = {name: [getattr(photos[photo], name) for photo in shared] for name in (*FIGURES, "gap")}
        if "centre" in by_method:
            values[OVER_CENTRE] = [photos[photo].gap - by_method["centre"][photo].gap for photo in shared]
        for name in CLOSER_FIGURES:
            values[name] = [value for photo in shared if (value := getattr(photos[photo], name)) is not None]
        card[method] = {name: bootstrap(found, seed=seed) for name, found in values.items() if found}
    return card
