"""User photos in a folder: one folder for each class, named like the class, or unlabelled photos without folders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.dataset import SPLIT_NAMES
from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photo_files import LeftOut, describe_left_out, is_hidden, walk_photos
from flowers_core.data.photo_formats import ACCEPTED_ENDINGS
from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError

_DECODERS = 2
_AHEAD = 16


class PhotoFolderError(FlowersError):
    """A folder cannot be used as user photos; the message is a sentence for the person who made it."""


@dataclass(frozen=True)
class FolderPhoto:
    """A user photo.

    Attributes:
        path: the file.
        label: 1…k, the class of the folder it lies in; None outside such folders.
    """

    path: Path
    label: int | None


@dataclass(frozen=True)
class PhotoFolder:
    """The contents of a folder.

    Attributes:
        photos: in order of path.
        left_out: the other files.
    """

    photos: tuple[FolderPhoto, ...]
    left_out: tuple[LeftOut, ...]

    def describe_left_out(self) -> str | None:
        """How many files were left out and which, as the end of "Left out: …"; None if there are none."""
        return describe_left_out(self.left_out)


@dataclass(frozen=True, eq=False)
class ReadPhoto:
    """A user photo as a model's input.

    Attributes:
        photo: where it comes from.
        pixels: (size, size, 3) uint8 RGB.
        sha256: digest of the file's bytes, hexadecimal.
    """

    photo: FolderPhoto
    pixels: NDArray[np.uint8]
    sha256: str


def scan_folder(root: Path, taxonomy: Taxonomy) -> PhotoFolder:
    """Find every photo in a folder, in its class folders, and in the folders below those.

    The name of a class folder is the class's number, its English name in the data set or a copy of it, or its
    scientific name. Capitals, leading zeros, hyphens, underscores and apostrophes do not matter.

    Args:
        root: the folder.
        taxonomy: the classes.

    Raises:
        PhotoFolderError: there is no such folder, it holds splits, the name of a folder in it is no class's, or there
            are no photos.
    """
    if not root.is_dir():
        raise PhotoFolderError(f"There is no folder {root}.")
    labels = _labels_by_name(taxonomy)
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not is_hidden(path.name))
    _refuse_splits(root, [folder.name for folder in folders])
    label_of = {folder.name: _label(folder, labels, taxonomy) for folder in folders}
    photos, left_out = [], []
    for found in walk_photos(root):
        if isinstance(found, LeftOut):
            left_out.append(found)
        else:
            photos.append(FolderPhoto(found, label_of.get(found.relative_to(root).parts[0])))
    if not photos:
        raise PhotoFolderError(
            f"There are no photos in {root}; their names mostly end in {', '.join(sorted(ACCEPTED_ENDINGS))}."
        )
    return PhotoFolder(tuple(photos), tuple(left_out))


def read_photos(photos: Sequence[FolderPhoto], rule: CropRule) -> Iterator[ReadPhoto | tuple[FolderPhoto, PhotoError]]:
    """Each photo as a model's input, in order.

    Args:
        photos: the photos, read sixteen at a time.
        rule: size and crop of the model's input.

    Yields:
        The input; for a photo that cannot be read, the photo and the error.
    """

    def read(photo: FolderPhoto) -> ReadPhoto | tuple[FolderPhoto, PhotoError]:
        try:
            opened = open_photo(photo.path)
        except PhotoError as error:
            return photo, error
        return ReadPhoto(photo, model_input(opened.pixels, rule).pixels, opened.sha256)

    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode") as pool:
        for start in range(0, len(photos), _AHEAD):
            yield from pool.map(read, photos[start : start + _AHEAD])


def _refuse_splits(root: Path, names: Sequence[str]) -> None:
    """Refuse widely used copies of the data set, which have train, valid and test on top and the classes in them."""
    if names and all(name.casefold() in SPLIT_NAMES for name in names):
        test = next((name for name in names if SPLIT_NAMES[name.casefold()] == "test"), names[0])
        raise PhotoFolderError(
            f"{root} holds the splits of a data set ({', '.join(names)}), not classes. Give one of them: {root / test}"
        )


def _label(folder: Path, labels: dict[str, int], taxonomy: Taxonomy) -> int:
    name = _plain(folder.name)
    label = labels.get(str(int(name)) if name.isdecimal() else name)
    if label is not None:
        return label
    hint = f" Numbers run from 1 to {len(taxonomy)}."
    if not name.isdecimal():
        near = get_close_matches(name, labels, n=1)
        hint = f" Did you mean '{taxonomy[labels[near[0]]].name}'?" if near else ""
    raise PhotoFolderError(
        f"The folder {folder} is called like none of the {len(taxonomy)} classes.{hint} "
        "Name it by a class' number or its English or scientific name."
    )


def _labels_by_name(taxonomy: Taxonomy) -> dict[str, int]:
    names: dict[str, int] = {}
    for taxon in taxonomy:
        for name in (str(taxon.label), taxon.name, taxon.scientific_name, *taxon.other_names):
            if name:
                names.setdefault(_plain(name), taxon.label)
    return names


def _plain(name: str) -> str:
    return " ".join(re.sub(r"['’?]", "", name.casefold()).replace("-", " ").replace("_", " ").split())
