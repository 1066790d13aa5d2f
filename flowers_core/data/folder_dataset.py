"""A data set of anybody's photos: a folder a class, such folders below train, valid and test, or a table.

photos/rose/a.jpg …                      splits are drawn
photos/train/rose/a.jpg, photos/valid/…, photos/test/…
photos.csv with the columns path, label, split; paths as seen from the table's folder
"""

from __future__ import annotations

import copy
import csv
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from flowers_core.data.dataset import SPLIT_NAMES, SPLITS, Dataset, DatasetError, DatasetMissing
from flowers_core.data.photo_files import LeftOut, is_hidden, is_photo, walk_photos
from flowers_core.data.split_drawing import draw_splits
from flowers_core.data.taxonomy import Taxonomy, read_taxonomy
from flowers_core.storage.files import write_table

TAXONOMY_FILE = "taxonomy.csv"
#: More names are no classes of flowers, but a folder for each photo, or a table's wrong column.
MAX_CLASSES = 1000
_COLUMNS = ("path", "label", "split")
_LONGEST_NAME = 100


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
        splits_given: whether the source brings splits; else they are drawn.
        left_out: files in the folders that are no photos, and photos outside of a class's folder.
        empty_folders: folders of classes that hold no photo; they are no classes.

    Args:
        source: a folder or a table.
        seed: draws the splits where the source has none.

    Raises:
        DatasetMissing: there is no such folder or table, or it lists a photo that is not there.
        DatasetError: the source holds no photos, fewer than two classes or more than `MAX_CLASSES`, names that are
            paths or differ only by case, or folders of splits beside others; the table lacks a column or has a split
            of another name; the taxonomy lacks a class.
    """

    def __init__(self, source: Path, *, seed: int = 0) -> None:
        source = Path(source)
        self.left_out: tuple[LeftOut, ...] = ()
        self.empty_folders: tuple[Path, ...] = ()
        self.splits_given = True
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
        """What the data is, in 64 hexadecimal digits: SHA-256 over each photo's path, size, class and split.

        Paths count from the innermost folder that holds all photos, so the photos may move together.
        """
        digest = hashlib.sha256()
        shared = os.path.commonpath([os.path.abspath(path.parent) for path in self._paths])  # noqa: PTH100 - links stay
        for path, label, split in zip(self._paths, self.labels.tolist(), self.splits.tolist(), strict=True):
            place = Path(os.path.relpath(path, shared)).as_posix()
            line = f"{place}\0{path.stat().st_size}\0{self.names[label - 1]}\0{split}\n"
            digest.update(line.encode(errors="surrogateescape"))
        return digest.hexdigest()

    def select(self, photo_ids: ArrayLike, splits: ArrayLike) -> FolderDataset:
        """Some of the photos in other splits, numbered anew from 1. The classes stay.

        Args:
            photo_ids: (m,) ids, in the order that they are to have.
            splits: (m,) the split of each.
        """
        ids = np.asarray(photo_ids, np.int64)
        chosen = copy.copy(self)
        chosen._paths = tuple(self.path(photo_id) for photo_id in ids.tolist())
        Dataset.__init__(chosen, self.labels_of(ids), splits, self.names, self.taxonomy)
        return chosen

    def write_table(self, table: Path) -> None:
        """Write the photos, their classes and splits as a table that `FolderDataset` reads."""
        rows = zip(self._paths, self.labels.tolist(), self.splits.tolist(), strict=True)
        write_table(table, _COLUMNS, [(path.absolute(), self.names[label - 1], split) for path, label, split in rows])

    def _in_folders(self, seed: int) -> list[_Listed]:
        below = _folders(self.root)
        self.left_out += tuple(
            LeftOut(path, "in no class") for path in sorted(self.root.iterdir()) if path.is_file() and is_photo(path)
        )
        of_splits = [folder.name for folder in below if folder.name.casefold() in SPLIT_NAMES]
        if of_splits and len(of_splits) < len(below):
            other = next(folder.name for folder in below if folder.name not in of_splits)
            raise DatasetError(
                f"{self.root} holds the split '{of_splits[0]}' and beside it the folder '{other}'. "
                "Let it hold either splits or classes; a folder whose name begins with a dot is skipped."
            )
        if of_splits:
            return [
                _Listed(path, name, SPLIT_NAMES[folder.name.casefold()])
                for folder in below
                for name, paths in self._photos_by_class(folder).items()
                for path in paths
            ]
        self.splits_given = False
        found = self._photos_by_class(self.root)
        named = [(name, path) for name, paths in found.items() for path in paths]
        splits = draw_splits([name for name, _ in named], range(len(named)), seed)
        return [_Listed(path, name, split) for (name, path), split in zip(named, splits.tolist(), strict=True)]

    def _photos_by_class(self, folder: Path) -> dict[str, list[Path]]:
        found = {}
        for of_class in _folders(folder):
            files = list(walk_photos(of_class))
            self.left_out += tuple(file for file in files if isinstance(file, LeftOut))
            photos = [file for file in files if isinstance(file, Path)]
            if photos:
                found[of_class.name] = photos
            else:
                self.empty_folders += (of_class,)
        return found


def _taxonomy(table: Path, names: Sequence[str]) -> Taxonomy | None:
    if not table.is_file():
        return None
    try:
        return read_taxonomy(table, names)
    except ValueError as error:
        raise DatasetError(str(error)) from error


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name))


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
    if len(names) > MAX_CLASSES:
        raise DatasetError(
            f"{source} holds {len(names)} classes; {MAX_CLASSES} at most can be told apart here. Is there a folder, or "
            "a label, for each photo instead of each kind?"
        )
    for name in sorted(names):
        if len(name) > _LONGEST_NAME or not name.isprintable() or name in (".", "..") or {"/", "\\"} & set(name):
            raise DatasetError(
                f"In {source} a class is called {name[:_LONGEST_NAME]!r}. Call it as people call the flower, "
                f"without slashes, in {_LONGEST_NAME} letters at most."
            )
    folded: dict[str, str] = {}
    for name in sorted(names):
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            raise DatasetError(
                f"In {source} the classes '{other}' and '{name}' differ only by case. Give them one name."
            )
    return sorted(names, key=lambda name: (int(name), name) if all(map(str.isdecimal, names)) else (0, name))
