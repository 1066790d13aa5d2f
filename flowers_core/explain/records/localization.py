"""The record of localization in a bundle: how much of the evidence lies on the flower, photo by photo; and means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.errors import FlowersError
from flowers_core.explain.metrics.localization import Localization
from flowers_core.storage.npz import NpzError, read_npz

LOCALIZATION_FILE = "flower_shares.npz"
_HOW_TO_MAKE = "`flowers evaluate_localization` makes it anew."


class LocalizationRecordError(FlowersError):
    """A record that cannot be used; the message is a sentence for the person who meets it."""


@dataclass(frozen=True)
class MeanLocalization(Localization):
    """Means over several photos.

    `ratio` is the ratio of the means: a mean of ratios would be dominated by the photos with the smallest flowers.
    """

    photos: int


@dataclass(frozen=True, eq=False)
class LocalizationRecord:
    """The localization of each test photo, measured on the closed form's map of the class that INT8 predicts.

    Attributes:
        ids: (n,) int64, of the photos.
        labels: (n,) int64, their classes, 1-based.
        predicted: (n,) int64, the model's answers, 1-based.
        mass: (n,) float32, see `Localization`.
        area: (n,) float32, see `Localization`.
        left_out: how many photos have no value, because their segmentation is missing or empty, or no contribution is
            positive.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    mass: NDArray[np.float32]
    area: NDArray[np.float32]
    left_out: int

    def __len__(self) -> int:
        return len(self.ids)

    def mean(self, where: ArrayLike | None = None) -> MeanLocalization | None:
        """Means over all photos, or those where a boolean array (n,) is true; None if there are none."""
        chosen = np.ones(len(self), bool) if where is None else np.asarray(where, bool)
        if not chosen.any():
            return None
        mass, area = (float(values[chosen].mean(dtype=np.float64)) for values in (self.mass, self.area))
        return MeanLocalization(mass, area, int(chosen.sum()))

    def of_class(self, label: int) -> MeanLocalization | None:
        """Means over the test photos of a class, whatever was predicted; None if there are none."""
        return self.mean(self.labels == label)

    def of_pair(self, label: int, predicted: int) -> MeanLocalization | None:
        """Over the test photos of a class that were given one prediction.

        Args:
            label: the true class, 1-based.
            predicted: the prediction, 1-based.

        Returns:
            The means; None if there are no such photos.
        """
        return self.mean((self.labels == label) & (self.predicted == predicted))

    def arrays(self) -> dict[str, ArrayLike]:
        """What `load_localization` reads, by name; accurate to a thousandth, about 8 bytes a photo compressed."""
        return {
            "ids": self.ids.astype(np.uint16),
            "labels": self.labels.astype(np.uint16),
            "called": self.predicted.astype(np.uint16),
            "heat": self.mass.astype(np.float16),
            "area": self.area.astype(np.float16),
            "left_out": self.left_out,
        }


def load_localization(path: Path) -> LocalizationRecord:
    """Read a file of `LocalizationRecord.arrays`.

    Raises:
        LocalizationRecordError: if it is missing or damaged.
    """
    try:
        arrays = read_npz(path)
        ids, labels, predicted = (arrays[name].astype(np.int64) for name in ("ids", "labels", "called"))
        mass, area = (arrays[name].astype(np.float32) for name in ("heat", "area"))
        found = LocalizationRecord(ids, labels, predicted, mass, area, int(arrays["left_out"]))
    except (NpzError, KeyError, ValueError, TypeError) as error:
        raise LocalizationRecordError(f"{path} cannot be read. {_HOW_TO_MAKE}") from error
    within = all(((values >= 0) & (values <= 1)).all() for values in (mass, area))
    fit = ids.ndim == 1 and ids.shape == labels.shape == predicted.shape == mass.shape == area.shape
    if not (fit and within):
        raise LocalizationRecordError(f"{path} is damaged. {_HOW_TO_MAKE}")
    return found
