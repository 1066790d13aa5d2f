"""The record that compares LIME with the `lime` package in a bundle: time, faithfulness, stability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flowers_core.errors import FlowersError
from flowers_core.explain.metrics.interval import Interval
from flowers_core.storage.typed_json import read_record

LIME_FILE = "lime.json"
#: The backends that are compared. The times of the others are divided by those of the first.
OURS, PACKAGE, PACKAGE_ON_KERAS = "ours, INT8", "package, INT8", "package, Keras predict"


# Keys that shipped records have, and their names now.
_FORMER = {
    "ways": "backends",
    "alike": "stability",
    "alike_photos": "stability_photos",
    "looks": "samples",
    "settled": "converged",
    "deletion_less": "deletion_gain",
    "alike_more": "stability_gain",
    "by_place": "per_position",
}


class LimeRecordError(FlowersError):
    """A record of the comparison that cannot be read; the message says why."""


@dataclass(frozen=True)
class LimeBackend:
    """The figures of one backend; intervals are over the photos that it explained.

    Attributes:
        photos: how many.
        seconds: for one explanation, the median.
        times_ours: its seconds ÷ those of ours on the same photo, the median; 1 for ours.
        deletion: area under the deletion curve, mean, the lower the better; None if it was not measured.
        insertion: area under the insertion curve, mean, the higher the better.
        stability: Jaccard index of the five strongest superpixels of two seeds, mean over pairs and photos.
    """

    photos: int
    seconds: Interval
    times_ours: Interval
    deletion: Interval | None = None
    insertion: Interval | None = None
    stability: Interval | None = None


@dataclass(frozen=True, eq=False)
class LimeRecord:
    """The result of a comparison.

    Attributes:
        machine: processor and cores.
        split: that the photos are from.
        seed: draws the photos; explanations have the seeds from 0.
        seeds: how many explanations of each photo `stability` was measured on.
        stability_photos: on how many photos it was measured.
        samples: forward passes of ours, median.
        converged: fraction of ours that ended because the ranking had converged.
        backends: OURS, PACKAGE and, if it was measured, PACKAGE_ON_KERAS.
        deletion_gain: mean paired difference, package − ours; positive favours ours.
        stability_gain: mean paired difference, ours − package; positive favours ours.
        per_position: whether ours fits one model for each position of the feature map.
    """

    machine: str
    split: str
    seed: int
    seeds: int
    stability_photos: int
    samples: float
    converged: float
    backends: Mapping[str, LimeBackend]
    deletion_gain: Interval
    stability_gain: Interval | None = None
    per_position: bool = False


def load_lime(path: Path) -> LimeRecord:
    """Read the JSON file of a record. Raises LimeRecordError if the file is not such a record."""
    return read_record(LimeRecord, path, "LIME against the package", LimeRecordError, _FORMER)
