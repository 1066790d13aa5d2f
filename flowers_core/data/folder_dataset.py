"""A data set of anybody's photos: a folder a class, such folders below train, valid and test, or a table.

photos/rose/a.jpg …                      splits are drawn
photos/train/rose/a.jpg, photos/valid/…, photos/test/…
photos.csv with the columns path, label, split; paths as seen from the table's folder
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.dataset import SPLIT_NAMES, SPLITS, Dataset, DatasetError, DatasetMissing
from flowers_core.data.photo_files import LeftOut, is_hidden, walk_photos
from flowers_core.data.taxonomy import Taxonomy, read_taxonomy

TAXONOMY_FILE = "taxonomy.csv"
# Of the photos of a class that has no splits of its own; the rest is for training.
_HELD_OUT = 0.2
_COLUMNS = ("path", "label", "split")


@dataclass(frozen=True)
class _Listed:
    path: Path
    class_name: str
    split: str


class FolderDataset(Dataset):
    """Photos of classes that are called by their folders or in a table.

    Where `taxonomy.csv` lies beside the classes or the table, it is the taxonomy (see `read_taxonomy`).

    Labels 1…k follow the classes' names in alphabetical order, in numerical order where all are numbers. Photos are
    found by name, not opened: drawn splits may have duplicates across them, which `exact_leaks` finds.

    Attributes:
        root: the folder from which the photos' paths are seen.
        left_out: files in the folders that are no photos.

    Args:
        source: a folder or a table.
        seed: draws the splits where the source has none.

    Raises:
        DatasetMissing: there is no such folder or table, or it lists a photo that is not there.
        DatasetError: the source holds no photos, fewer than two classes, or classes that differ only by case; the table
            lacks a column or has a split of another name; the taxonomy lacks a class.
    """

    def __init__(self, source: Path, *, seed: int = 0) -> None:
        source = Path(source)
        self.left_out: tuple[LeftOut, ...] = ()
        if source.is_dir():
            self.root = source
            listed = self._in_folders(seed)
        elif source.is_file():
            self.root = source.parent
            listed = _in_table(source)
        else:
            raise DatasetMissing(f"There is no folder and no table {source}.")
        names = _class_names(source, (photo.class_name for photo in listed))
        label_of = {name: label for label, name in enumerate(names, 1)}
        self._paths = tuple(photo.path for photo in listed)
        labels, splits = [label_of[photo.class_name] for photo in listed], [photo.split for photo in listed]
        super().__init__(labels, splits, names, _taxonomy(self.root / TAXONOMY_FILE, names))

    def path(self, photo_id: int) -> Path:
        """The file of a photo. Raises KeyError for an id that the data set does not have."""
        return self._paths[self._index(photo_id)]

    def fingerprint(self) -> str:
        """What the data is, in 64 hexadecimal digits: SHA-256 over each photo's path, size, class and split."""
        digest = hashlib.sha256()
        for path, label, split in zip(self._paths, self.labels.tolist(), self.splits.tolist(), strict=True):
            place = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
            line = f"{place}\0{path.stat().st_size}\0{self.names[label - 1]}\0{split}\n"
            digest.update(line.encode(errors="surrogateescape"))
        return digest.hexdigest()

    def _in_folders(self, seed: int) -> list[_Listed]:
        below = _folders(self.root)
        if below and all(folder.name.casefold() in SPLIT_NAMES for folder in below):
            return [
                _Listed(path, name, SPLIT_NAMES[folder.name.casefold()])
                for folder in below
                for name, paths in self._photos_by_class(folder).items()
                for path in paths
            ]
        generator = np.random.default_rng(seed)
        return [
            _Listed(path, name, split)
            for name, paths in self._photos_by_class(self.root).items()
            for path, split in zip(paths, _drawn_splits(len(paths), generator), strict=True)
        ]

    def _photos_by_class(self, folder: Path) -> dict[str, list[Path]]:
        found = {}
        for of_class in _folders(folder):
            files = list(walk_photos(of_class))
            self.left_out += tuple(file for file in files if isinstance(file, LeftOut))
            found[of_class.name] = [file for file in files if isinstance(file, Path)]
        return {name: paths for name, paths in found.items() if paths}


def _taxonomy(table: Path, names: Sequence[str]) -> Taxonomy | None:
    if not table.is_file():
        return None
    try:
        return read_taxonomy(table, names)
    except ValueError as error:
        raise DatasetError(str(error)) from error


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name))


def _drawn_splits(count: int, generator: np.random.Generator) -> NDArray[np.str_]:
    """The splits of a class' photos; a class of fewer than three is for training alone."""
    held_out = max(1, round(_HELD_OUT * count)) if count >= 3 else 0
    splits = np.full(count, "train", dtype=f"<U{max(map(len, SPLITS))}")
    splits[:held_out], splits[held_out : 2 * held_out] = "test", "validation"
    return generator.permutation(splits)


def _in_table(table: Path) -> list[_Listed]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise DatasetError(f"{table} lacks the column {missing[0]}; it needs {', '.join(_COLUMNS)}.")
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{table} cannot be read as a table in UTF-8, with commas: {error}.") from error
    listed = []
    for number, row in enumerate(rows, 2):
        split = SPLIT_NAMES.get((row["split"] or "").strip().casefold())
        if split is None:
            raise DatasetError(f"{table}, line {number}: there is no split '{row['split']}'; use {', '.join(SPLITS)}.")
        if not row["path"] or not (row["label"] or "").strip():
            raise DatasetError(f"{table}, line {number}: a photo needs a path and a label.")
        listed.append(_Listed(table.parent / row["path"], row["label"].strip(), split))
    absent = [photo.path for photo in listed if not photo.path.is_file()]
    if absent:
        raise DatasetMissing(
            f"{len(absent)} of {len(listed)} photos in {table} are missing, the first of them {absent[0]}."
        )
    return listed


def _class_names(source: Path, of_photos: Iterable[str]) -> Sequence[str]:
    names = set(of_photos)
    if len(names) < 2:
        found = f"only the class '{names.pop()}'" if names else "no photos"
        raise DatasetError(
            f"{source} holds {found}. Put the photos of each class into a folder called like it, two at least."
        )
    folded: dict[str, str] = {}
    for name in sorted(names):
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            raise DatasetError(
                f"In {source} the classes '{other}' and '{name}' differ only by case. Give them one name."
            )
    return sorted(names, key=lambda name: (int(name), name) if all(map(str.isdecimal, names)) else (0, name))
