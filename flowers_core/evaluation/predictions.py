"""A model's predictions for many photos: what they are, how they are stored, and subsets of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.photo_ref import PhotoRef, Source
from flowers_core.data.taxonomy import Taxon
from flowers_core.errors import FlowersError
from flowers_core.inference.prediction import softmax
from flowers_core.storage.files import write_npz
from flowers_core.storage.npz import NpzError, read_npz

_FORMAT_NAME = re.compile(r"[a-z0-9]+")


class PredictionsError(FlowersError):
    """Predictions that are missing, damaged or contradictory."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's logits for n photos.

    Attributes:
        ids: (n,) int64, each once.
        labels: (n,) int64, the true classes, 1-based.
        logits: (n, classes) float32, finite.
        source: where the photos come from.
        collection: the name of the custom test set that they belong to, else empty.

    Raises:
        PredictionsError: when the arrays do not belong together.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    logits: NDArray[np.float32]
    source: Source = "oxford"
    collection: str = ""

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.ids.shape != (n,) or self.labels.shape != (n,) or self.logits.ndim != 2 or len(self.logits) != n:
            raise PredictionsError(
                f"Predictions need one id, one label and one row of logits a photo, not arrays of shape "
                f"{self.ids.shape}, {self.labels.shape} and {self.logits.shape}."
            )
        if len(np.unique(self.ids)) != n:
            raise PredictionsError("Predictions name a photo twice.")
        if n and not (self.labels.min() >= 1 and self.labels.max() <= self.classes):
            raise PredictionsError(f"Predictions have labels outside 1 to {self.classes}.")
        if not np.isfinite(self.logits).all():
            raise PredictionsError("Predictions hold logits that are not finite numbers.")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.logits.shape[1]

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """(n,) int64: the label with the largest logit, of equals the lowest label."""
        return self.logits.argmax(axis=1).astype(np.int64) + 1

    def ref(self, photo_id: int) -> PhotoRef:
        """The reference to one of these photos."""
        return PhotoRef(self.source, int(photo_id), self.collection)

    def select(self, where: ArrayLike) -> Predictions:
        """The photos where a boolean array (n,) is true, or those at the given positions."""
        chosen = np.asarray(where)
        return replace(self, ids=self.ids[chosen], labels=self.labels[chosen], logits=self.logits[chosen])


def save_predictions(
    path: Path, ids: ArrayLike, labels: ArrayLike, logits_by_precision: Mapping[str, ArrayLike]
) -> None:
    """Write the logits of one model's numeric formats for the same photos as one `.npz`, atomically.

    Each photo's largest logit is kept as float32, and all logits as float16 distances to it. Therefore the largest
    logits are the most exact, and saving changes no prediction unless two logits are closer than 1e-7. (Plain float16
    makes logits equal that are 0.004 apart.) Figures are computed from what `load_predictions` returns, so that they
    are the same everywhere.

    Args:
        path: the file.
        ids: (n,).
        labels: (n,), 1-based.
        logits_by_precision: numeric format → (n, classes).

    Raises:
        PredictionsError: when the arrays do not belong together.
    """
    if not logits_by_precision:
        raise PredictionsError("There are no logits to save.")
    arrays: dict[str, NDArray[Any]] = {
        "ids": np.asarray(ids, dtype=np.int64),
        "labels": np.asarray(labels, dtype=np.int64),
    }
    for precision, logits in logits_by_precision.items():
        if not _FORMAT_NAME.fullmatch(precision):
            raise PredictionsError(f"'{precision}' cannot name a precision: use lower-case letters and digits.")
        checked = Predictions(arrays["ids"], arrays["labels"], np.asarray(logits, dtype=np.float32))
        largest = checked.logits.max(axis=1)
        arrays[f"largest_{precision}"] = largest
        # Beyond float16's range a class is impossible anyway; the bound keeps it finite.
        distance = np.maximum(checked.logits - largest[:, None], np.finfo(np.float16).min)
        arrays[f"logits_{precision}"] = distance.astype(np.float16)
    write_npz(path, compressed=True, **arrays)


def load_predictions(path: Path, precision: str) -> Predictions:
    """Read one numeric format's predictions.

    Args:
        path: a file that `save_predictions` wrote.
        precision: the numeric format, such as "int8".

    Raises:
        PredictionsError: if the file is missing or damaged, or lacks that format.
    """
    arrays = _read(path)
    try:
        ids, labels = arrays["ids"], arrays["labels"]
        distance, largest = arrays[f"logits_{precision}"], arrays[f"largest_{precision}"]
    except KeyError as error:
        kept = ", ".join(_precisions_in(arrays)) or "none"
        raise PredictionsError(f"{path} holds no predictions in {precision}; it has {kept}.") from error
    try:
        return Predictions(
            ids.astype(np.int64), labels.astype(np.int64), distance.astype(np.float32) + largest[:, None]
        )
    except (ValueError, IndexError, PredictionsError) as error:
        raise PredictionsError(f"{path} is damaged. {error}") from error


def stored_precisions(path: Path) -> tuple[str, ...]:
    """The numeric formats in a file, in the order they were saved. Raises PredictionsError as `load_predictions`."""
    return _precisions_in(_read(path))


def by_confidence(predictions: Predictions, temperature: float, low: float = 0.0, high: float = 1.0) -> Predictions:
    """The photos whose top probability is in [low, high].

    Args:
        predictions: the photos to choose from.
        temperature: of the softmax, > 0.
        low: in [0, 1].
        high: in [low, 1].

    Raises:
        ValueError: if low and high are no such range.
    """
    if not 0 <= low <= high <= 1:
        raise ValueError(f"A range of confidence runs from low to high within 0 to 1, not from {low} to {high}.")
    top = softmax(predictions.logits, temperature).max(axis=1)
    # A softmax may exceed 1 by a rounding error.
    return predictions.select((top >= low) & (np.minimum(top, 1.0) <= high))


def by_family(predictions: Predictions, families: Collection[str], taxonomy: Iterable[Taxon]) -> Predictions:
    """The photos whose true class is of one of these families.

    Args:
        predictions: the photos to choose from.
        families: botanical names.
        taxonomy: the classes with their families.
    """
    labels = [taxon.label for taxon in taxonomy if taxon.family in families]
    return predictions.select(np.isin(predictions.labels, labels))


def without(predictions: Predictions, photo_ids: Iterable[int]) -> Predictions:
    """All photos but some.

    Args:
        predictions: the photos to choose from.
        photo_ids: ids to leave out, among the photos or not.
    """
    return predictions.select(~np.isin(predictions.ids, list(photo_ids)))


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return read_npz(path)
    except NpzError as error:
        raise PredictionsError(f"{error} `flowers evaluate` writes it.") from error


def _precisions_in(arrays: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name.removeprefix("logits_") for name in arrays if name.startswith("logits_"))
