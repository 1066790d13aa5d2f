"""LIME against the `lime` package, as a bundle keeps it: how long, how faithful, how stable."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flowers_core.errors import FlowersError

LIME_FILE = "lime.json"
#: The ways that are compared; the others' times are divided by those of the first.
OURS, PACKAGE, PACKAGE_ON_KERAS = "ours, INT8", "package, INT8", "package, Keras predict"


_DRAWS = 2000


class LimeRecordError(FlowersError):
    """A record of the comparison that cannot be read; the message says why."""


@dataclass(frozen=True)
class Interval:
    """A mean or median over photos with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LimeWay:
    """One way to LIME over the photos that it explained; intervals are over these photos.

    Attributes:
        photos: how many.
        seconds: one explanation, the median.
        times_ours: its seconds ÷ those of ours on the same photo, the median; 1 for ours.
        deletion: area under the deletion curve, mean, the lower the better; None where it was not measured.
        insertion: area under the insertion curve, mean, the higher the better.
        alike: Jaccard index of the five strongest superpixels of two seeds, mean over pairs and photos.
    """

    photos: int
    seconds: Interval
    times_ours: Interval
    deletion: Interval | None = None
    insertion: Interval | None = None
    alike: Interval | None = None


@dataclass(frozen=True, eq=False)
class LimeRecord:
    """What a comparison found.

    Attributes:
        machine: processor and cores.
        split: of the photos.
        seed: draws the photos; explanations have the seeds from 0.
        seeds: of each photo on which `alike` was measured.
        alike_photos: on how many that was.
        looks: samples that ours took, median.
        settled: share of ours that ended because the ranking was settled.
        ways: OURS, PACKAGE and, where it was measured, PACKAGE_ON_KERAS.
        deletion_less: deletion of the package less ours on the same photo, mean; above 0 ours is better.
        alike_more: `alike` of ours less the package's on the same photo, mean; above 0 ours is better.
        by_place: whether ours watched every place of the photo apart.
    """

    machine: str
    split: str
    seed: int
    seeds: int
    alike_photos: int
    looks: float
    settled: float
    ways: Mapping[str, LimeWay]
    deletion_less: Interval
    alike_more: Interval | None
    by_place: bool = False


def interval(
    values: npt.ArrayLike, statistic: Callable[..., npt.NDArray[np.floating]] = np.mean, *, seed: int = 0
) -> Interval:
    """The mean of what was found on photos, (n,), or another statistic, over 2000 draws of as many photos."""
    found = np.asarray(values, np.float64)
    draws = np.random.default_rng(seed).integers(0, len(found), size=(_DRAWS, len(found)))
    low, high = np.percentile(statistic(found[draws], axis=1), [2.5, 97.5])
    return Interval(float(statistic(found)), float(low), float(high))


def save_lime(record: LimeRecord, path: Path) -> None:
    """Write a record as JSON."""
    path.write_text(json.dumps(asdict(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def load_lime(path: Path) -> LimeRecord:
    """Read a record. Raises LimeRecordError where it is none."""
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        ways = {
            name: LimeWay(**{key: _read(value) for key, value in way.items()}) for name, way in stored["ways"].items()
        }
        return LimeRecord(**{key: _read(value) for key, value in stored.items()} | {"ways": ways})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LimeRecordError(f"{path} is no record of LIME against the package: {error}.") from error


def _read(value: Any) -> Any:
    return Interval(**value) if isinstance(value, dict) and set(value) == {"value", "low", "high"} else value
