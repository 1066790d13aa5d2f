"""The Oxford 102 Category Flower Dataset on disk: ids, labels, the official splits, paths.

Nilsback and Zisserman, "Automated flower classification over a large number of classes", ICVGIP 2008,
https://www.robots.ox.ac.uk/~vgg/data/flowers/102/. The folder holds what that page offers:

    jpg/image_00001.jpg …     the photos
    imagelabels.mat           labels: the label 1…102 of each photo, in order of id
    setid.mat                 trnid, valid, tstid: the ids of each split
    segmim/segmim_00001.jpg … optional: the photos with everything but the flower painted blue
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray

from flowers_core.data.dataset import SPLITS, Dataset, DatasetError, DatasetMissing
from flowers_core.data.photo_ref import OXFORD, PhotoSet, photos_of_dataset
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.storage.paths import default_data_dir

#: What the data set is, in a sentence.
DESCRIPTION = (
    "The Oxford 102 Category Flower Dataset (Nilsback and Zisserman, 2008): flowers common in the United Kingdom in "
    "all sizes, poses and lights, split officially into training, validation and test photos."
)

#: `OxfordFlowers.fingerprint` of the photos as Oxford offers them; smaller copies have others.
ORIGINALS = "af62b9cd72559ada218b7fecd59cc51dbdd3201db1115f595613021cd8b0db01"

_SPLIT_KEYS = {"train": "trnid", "validation": "valid", "test": "tstid"}


@dataclass(frozen=True)
class Pictures:
    """One JPEG for each photo of the data set: `folder`/`stem`_00001.jpg …

    Attributes:
        folder: the folder below the data set's.
        stem: the beginning of the file names.
    """

    folder: str
    stem: str

    def name_of(self, photo_id: int) -> str:
        """The file name for a photo: 17 → "image_00017.jpg"."""
        return f"{self.stem}_{photo_id:05d}.jpg"

    def id_of(self, file_name: str) -> int | None:
        """The photo's id in a file name, None for any other name."""
        match = re.fullmatch(rf"{self.stem}_(\d{{5}})\.jpg", file_name)
        return int(match[1]) if match and int(match[1]) > 0 else None


PHOTOS = Pictures("jpg", "image")
SEGMENTATIONS = Pictures("segmim", "segmim")


def is_present(root: Path) -> bool:
    """Whether `root` holds the whole data set: two well-formed .mat files and a file for every photo."""
    try:
        OxfordFlowers(root)
    except (DatasetMissing, DatasetError):
        return False
    return True


def photo_name(photo_id: int) -> str:
    """The file name of a photo: 17 → "image_00017.jpg"."""
    return PHOTOS.name_of(photo_id)


def photo_id_of(file_name: str) -> int | None:
    """The id in a photo's file name, None for any other name."""
    return PHOTOS.id_of(file_name)


def photo_set_of(fingerprint: str, class_names: Sequence[str]) -> PhotoSet:
    """The photos of a data set that is known by its records only.

    Args:
        fingerprint: its `Dataset.fingerprint`; empty where that is not known.
        class_names: its classes in order of label, and perhaps more behind them.

    Returns:
        Oxford's for its originals, and for any copy of them: other data sets have their classes in alphabetical order,
        which Oxford's order is not.
    """
    names = load_taxonomy().names
    if fingerprint == ORIGINALS or tuple(class_names[: len(names)]) == tuple(names):
        return OXFORD
    return photos_of_dataset(fingerprint or "unknown")


def read_labels(path: Path) -> NDArray[np.int64]:
    """The label 1…102 of each photo, in order of id: (n,) int64, from imagelabels.mat.

    Raises:
        DatasetMissing: the file is not there.
        DatasetError: the file does not hold such labels.
    """
    labels = _whole_numbers(_read_mat(path), "labels", path)
    classes = len(load_taxonomy())
    if labels.size == 0 or labels.min() < 1 or labels.max() > classes:
        raise DatasetError(f"{path} must hold labels from 1 to {classes} and at least one; it does not.")
    return labels


class OxfordFlowers(Dataset):
    """The data set in a folder, opened for reading.

    The length of imagelabels.mat gives the number of photos, 8189 in the real data set. Labels run to 102. Photos are
    checked by name, not opened.

    Raises:
        DatasetMissing: a file is not there; the message names the file and the command that gets it.
        DatasetError: a .mat file has unexpected content.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        labels = read_labels(self.root / "imagelabels.mat")
        splits = _read_splits(self.root / "setid.mat", labels.size)
        taxonomy = load_taxonomy()
        _check_photos(self.root / "jpg", labels.size)
        super().__init__(labels, splits, taxonomy.names, taxonomy)

    def path(self, photo_id: int) -> Path:
        """The file of a photo. Raises KeyError for an id that the dataset does not have."""
        self._index(photo_id)
        return self.root / "jpg" / photo_name(photo_id)

    @property
    def photo_set(self) -> PhotoSet:
        """Oxford's photos: a smaller copy shows the same ones under the same numbers."""
        return OXFORD

    def fingerprint(self) -> str:
        """A digest of the data in 64 hexadecimal digits.

        It is SHA-256 over the digests of imagelabels.mat and setid.mat, then the name and the size in bytes of each
        photo in order of id. It tells Oxford's originals from smaller copies without reading the photos.
        """
        digest = hashlib.sha256()
        for name in ("imagelabels.mat", "setid.mat"):
            digest.update(hashlib.sha256((self.root / name).read_bytes()).digest())
        for photo_id in self.ids:
            path = self.path(int(photo_id))
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        return digest.hexdigest()


def _read_mat(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DatasetMissing(f"{path.name} is missing from {path.parent}. {how_to_get(path.parent)}")
    try:
        return scipy.io.loadmat(path)
    except Exception as error:  # SciPy's reader raises many types on broken files
        raise DatasetError(f"{path} is damaged, or no MATLAB file: {error}") from error


def _whole_numbers(arrays: dict[str, Any], key: str, path: Path) -> NDArray[np.int64]:
    found = arrays.get(key)
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf":
        raise DatasetError(f"{path} must hold an array of numbers named {key!r}; it does not.")
    numbers = found.ravel()
    if not np.isfinite(numbers).all() or (numbers != np.rint(numbers)).any():
        raise DatasetError(f"{path}: {key!r} must hold whole numbers; it does not.")
    return numbers.astype(np.int64)


def _read_splits(path: Path, count: int) -> NDArray[np.str_]:
    arrays = _read_mat(path)
    splits = np.full(count, "", dtype=f"<U{max(map(len, SPLITS))}")
    for split, key in _SPLIT_KEYS.items():
        ids = _whole_numbers(arrays, key, path)
        if ids.size and (ids.min() < 1 or ids.max() > count):
            raise DatasetError(f"{path}: {key!r} names photos outside 1…{count}.")
        if np.unique(ids).size != ids.size or (splits[ids - 1] != "").any():
            raise DatasetError(f"{path} puts a photo into two splits, or twice into one.")
        splits[ids - 1] = split
    if (splits == "").any():
        raise DatasetError(f"{path} leaves {(splits == '').sum()} of {count} photos without a split.")
    return splits


def _check_photos(folder: Path, count: int) -> None:
    try:
        found = {photo_id_of(name) for name in os.listdir(folder)}  # noqa: PTH208 - names alone are wanted, of 8189 files
    except FileNotFoundError:
        raise DatasetMissing(
            f"The photos are missing: there is no folder {folder}. {how_to_get(folder.parent)}"
        ) from None
    except OSError as error:
        raise DatasetError(f"{folder} could not be listed: {error.strerror}.") from error
    missing = [photo_id for photo_id in range(1, count + 1) if photo_id not in found]
    if missing:
        raise DatasetMissing(
            f"{len(missing)} of {count} photos are missing from {folder}, the first of them {photo_name(missing[0])}. "
            f"{how_to_get(folder.parent)}"
        )


def how_to_get(root: Path) -> str:
    """The sentence with the command that fetches the dataset into `root`."""
    return f"`{_command(root)}` gets the dataset from Oxford (345 MB)."


def how_to_get_segmentations(root: Path) -> str:
    """The sentence with the command that fetches the segmentations into `root`."""
    return f"`{_command(root)} --segmentations` gets Oxford’s segmentations (203 MB)."


def _command(root: Path) -> str:
    option = "" if root.resolve() == default_data_dir().resolve() else f" --data {root}"
    return f"flowers download_data{option}"
