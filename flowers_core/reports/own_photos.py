"""How accurate `flowers train --photos` is beside plain ways of training that compute as much: record and table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.reports.tables import percent, table
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import read_record, to_json

OWN_PHOTOS_FILE = "own_photos.json"
#: What is compared, and what the table calls it; the first is this project's.
METHODS: Mapping[str, str] = {
    "train": "`flowers train --photos`",
    "probe": "linear probe",
    "keras": "Keras’ guide",
}
_DRAWS = 2000


class OwnPhotosError(FlowersError):
    """A file is no record of trainings on one's own photos; the message says what is wrong with it."""


@dataclass(frozen=True)
class TrainedOnPhotos:
    """One way of training on one data set.

    Attributes:
        classes, training_photos: of the data set.
        cpu_seconds: of all cores, from the first photo read to the weights.
        right: for each test photo in order of id, "1" where it is named rightly and "0" where not.
        balanced_accuracy: on the test photos, 0…1.
    """

    classes: int
    training_photos: int
    cpu_seconds: float
    right: str
    balanced_accuracy: float

    @property
    def hits(self) -> NDArray[np.float64]:
        """(n,) 1 for each test photo that is named rightly, else 0."""
        return np.array([float(mark) for mark in self.right])


@dataclass(frozen=True)
class _Kept:
    sets: Mapping[str, Mapping[str, TrainedOnPhotos]] = field(default_factory=dict)


def keep_own_photos(name: str, method: str, found: TrainedOnPhotos, models_dir: Path) -> None:
    """Write a result in the place of an earlier one of the same data set and method.

    Args:
        name: of the data set.
        method: one of `METHODS`.
        found: the result.
        models_dir: the models folder that it goes into.
    """
    kept = load_own_photos(models_dir)
    sets = {**kept, name: {**kept.get(name, {}), method: found}}
    write_json(models_dir / OWN_PHOTOS_FILE, to_json(_Kept(sets)))


def load_own_photos(models_dir: Path) -> Mapping[str, Mapping[str, TrainedOnPhotos]]:
    """Data set → method → result in a models folder. Raises OwnPhotosError if the file holds something else."""
    path = models_dir / OWN_PHOTOS_FILE
    if not path.is_file():
        return {}
    return read_record(_Kept, path, "trainings on one's own photos", OwnPhotosError).sets


def interval_of_mean(values: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval of a mean, from 2000 draws.

    Args:
        values: (n,), n ≥ 1.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    means = [float(values[generator.integers(0, len(values), len(values))].mean()) for _ in range(_DRAWS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def own_photos_note() -> str:
    """What the table shows."""
    return (
        "`flowers train --photos` beside a plain linear probe and beside fine-tuning as Keras’ transfer learning guide "
        "does it (`image_dataset_from_directory`, the new head on the frozen backbone first, then all of it at a rate "
        "of 1e-5), on the same split, from the same ImageNet weights of EfficientNet-Lite0 (`flowers benchmarks "
        "own_photos`). The first two choose by the validation photos; the guide has nothing to choose. It is given as "
        "many seconds of the processor as `flowers train --photos` took to train, two thirds of them for the head, and "
        "decodes each photo once. All answers are the float32 model’s. *Ahead by* is the difference of `flowers train "
        "--photos` from the row’s top-1 in percentage points on the same test photos. Intervals are 95 % "
        "bootstrap intervals over the test photos, of one run each."
    )


def own_photos_table(records: Mapping[str, Mapping[str, TrainedOnPhotos]]) -> str:
    """A row for each data set and method; "" where none was measured."""
    header = (
        "photos",
        "classes",
        "training photos",
        "test photos",
        "trained by",
        "top-1",
        "ahead by",
        "balanced accuracy",
        "processor, s",
    )
    rows = [_row(name, results, method) for name, results in records.items() for method in METHODS if method in results]
    return table(header, rows) if rows else ""


def _row(name: str, results: Mapping[str, TrainedOnPhotos], method: str) -> tuple[str, ...]:
    found = results[method]
    ours = results.get("train")
    ahead = "—"
    if ours is not None and method != "train":
        difference = ours.hits - found.hits
        ahead = f"{100 * difference.mean():+.2f} ({_interval(difference, '+')})"
    return (
        name,
        str(found.classes),
        str(found.training_photos),
        str(len(found.right)),
        METHODS[method],
        f"{percent(float(found.hits.mean()))} ({_interval(found.hits)})",
        ahead,
        percent(found.balanced_accuracy),
        f"{found.cpu_seconds:.0f}",
    )


def _interval(values: NDArray[np.float64], sign: str = "") -> str:
    low, high = interval_of_mean(values)
    return f"{100 * low:{sign}.2f} to {100 * high:{sign}.2f}"
