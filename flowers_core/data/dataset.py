"""The interface of a data set: ids, labels, splits, class names, and the file of each photo.

`OxfordFlowers` is one, `FolderDataset` another.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.halves import draw_halves
from flowers_core.data.photo_ref import PhotoSet, photos_of_dataset
from flowers_core.data.photos import Photo, open_photo
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError

SPLITS = ("train", "validation", "test")
#: Names of the splits in folders and tables, in lower case → the split.
SPLIT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "train": "train",
        "training": "train",
        "validation": "validation",
        "valid": "validation",
        "val": "validation",
        "test": "test",
        "testing": "test",
    }
)


class DatasetMissing(FlowersError):
    """The data set, or a part of it, is not on disk. The message says what is missing and how to get it."""


class DatasetError(FlowersError):
    """The files on disk are not laid out as a data set. The message says what is wrong."""


class Dataset(ABC):
    """A data set of n photos in k classes.

    Attributes:
        ids: (n,) int64, 1…n.
        labels: (n,) int64, 1…k, in order of id.
        splits: (n,) str, one of `SPLITS` each, in order of id.
        names: the k names of the classes in order of label.
        taxonomy: scientific names and families of the classes; None if they are not known.
    """

    def __init__(
        self, labels: ArrayLike, splits: ArrayLike, names: Sequence[str], taxonomy: Taxonomy | None = None
    ) -> None:
        """Number the photos from 1.

        Args:
            labels, splits, names, taxonomy: as the attributes, which cannot be written to.
        """
        self.labels: NDArray[np.int64] = np.asarray(labels, np.int64)
        self.splits: NDArray[np.str_] = np.asarray(splits, np.str_)
        self.ids: NDArray[np.int64] = np.arange(1, len(self.labels) + 1)
        self.names = tuple(names)
        self.taxonomy = taxonomy
        for array in (self.ids, self.labels, self.splits):
            array.setflags(write=False)

    @abstractmethod
    def path(self, photo_id: int) -> Path:
        """The file of a photo. Raises KeyError for an id that the data set does not have."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A digest in 64 hexadecimal digits that changes with the photos, labels or splits."""

    @property
    def photo_set(self) -> PhotoSet:
        """What references to the photos name them by."""
        return photos_of_dataset(self.fingerprint())

    def open(self, photo_id: int) -> Photo:
        """Read a photo. Raises KeyError for an id that the data set does not have, PhotoError for a broken file."""
        return open_photo(self.path(photo_id))

    def __len__(self) -> int:
        return self.labels.size

    def split_ids(self, split: str) -> NDArray[np.int64]:
        """The ids of a split, ascending: (m,) int64. Raises ValueError for a split of another name."""
        if split not in SPLITS:
            raise ValueError(f"There is no split {split!r}; there are {', '.join(SPLITS)}.")
        return self.ids[self.splits == split]

    def leaving_out(self, left_out: Collection[int]) -> Self:
        """The data set without some classes, to find out what a network makes of flowers that it never learnt.

        Ids stay. Photos of these classes have label 0 and are in no split; the labels of the others close ranks.

        Args:
            left_out: labels, each in 1…k.

        Raises:
            DatasetError: there is no such class, or none would be left.
        """
        unknown = sorted(set(left_out) - set(range(1, len(self.names) + 1)))
        if unknown or len(set(left_out)) == len(self.names):
            raise DatasetError(f"Classes to leave out are some of 1 to {len(self.names)}, not {unknown or 'all'}.")
        kept = np.setdiff1d(np.arange(1, len(self.names) + 1), list(left_out))
        inside = np.isin(self.labels, kept)
        fewer = copy.copy(self)
        labels = np.where(inside, np.searchsorted(kept, self.labels) + 1, 0)
        names = [self.names[label - 1] for label in kept.tolist()]
        Dataset.__init__(fewer, labels, np.where(inside, self.splits, ""), names)
        return fewer

    def holding_out(self, half: int) -> Self:
        """The data set with other splits, to find out whether learning from the test photos helps, too.

        One half of the test photos validates, and everything else is for training. Nothing is left for test.

        Args:
            half: 0 or 1, the half that validates, as `draw_halves` draws them.
        """
        test = self.split_ids("test") - 1
        splits = np.full(len(self), "train", dtype=f"<U{max(map(len, SPLITS))}")
        splits[test[draw_halves(self.labels[test]) == half]] = "validation"
        other = copy.copy(self)
        other.splits = splits
        splits.setflags(write=False)
        return other

    def labels_of(self, photo_ids: ArrayLike) -> NDArray[np.int64]:
        """The labels 1…k of photos, in the order of their ids."""
        return self.labels[np.asarray(photo_ids, np.int64) - 1]

    def label_of(self, photo_id: int) -> int:
        """The label 1…k of a photo. Raises KeyError for an id that the data set does not have."""
        return int(self.labels[self._index(photo_id)])

    def split_of(self, photo_id: int) -> str:
        """The split of a photo. Raises KeyError for an id that the data set does not have."""
        return str(self.splits[self._index(photo_id)])

    def _index(self, photo_id: int) -> int:
        if not 1 <= photo_id <= len(self):
            raise KeyError(f"There is no photo {photo_id}; ids run from 1 to {len(self)}.")
        return photo_id - 1
