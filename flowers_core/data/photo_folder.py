"""Photos of one's own in a folder: one folder a class, named as the class is, or all in one where no class is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import PhotoError, open_photo
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError

ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif"))
_DECODERS = 2
_AHEAD = 16


class PhotoFolderError(FlowersError):
    """A folder that does not say what its photos show; the message is a sentence for the person who made it."""


@dataclass(frozen=True)
class FolderPhoto:
    """A photo of one's own. label: 1…102 by the folder it lies in, None where it lies in none."""

    path: Path
    label: int | None


@dataclass(frozen=True, eq=False)
class ReadPhoto:
    """What a model is given of such a photo. pixels: (size, size, 3) uint8; sha256: of the file's bytes."""

    photo: FolderPhoto
    pixels: NDArray[np.uint8]
    sha256: str


def photos_in(root: Path, taxonomy: Taxonomy) -> list[FolderPhoto]:
    """Every photo in a folder and in its folders of classes, in order of path.

    A class' folder is called by its number or by its English or scientific name; capitals, hyphens, underscores and
    apostrophes do not matter. Files without a photo's ending and hidden ones are left out. Raises PhotoFolderError when
    there is no such folder, a folder is called like no class, or there are no photos.
    """
    if not root.is_dir():
        raise PhotoFolderError(f"There is no folder {root}.")
    labels = _labels_by_name(taxonomy)
    found = [FolderPhoto(path, None) for path in _photos(root)]
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        label = labels.get(_plain(folder.name))
        if label is None:
            near = get_close_matches(_plain(folder.name), labels, n=1)
            hint = f" Did you mean '{taxonomy[labels[near[0]]].name}'?" if near else ""
            raise PhotoFolderError(
                f"The folder {folder} is called like none of the {len(taxonomy)} classes.{hint} "
                "Name it by a class' number or its English or scientific name."
            )
        found += [FolderPhoto(path, label) for path in _photos(folder)]
    if not found:
        raise PhotoFolderError(f"There are no photos in {root}; their names end in {', '.join(sorted(ENDINGS))}.")
    return found


def read_photos(photos: Sequence[FolderPhoto], rule: CropRule) -> Iterator[ReadPhoto | tuple[FolderPhoto, PhotoError]]:
    """Each photo as a model's input, in order; for one that cannot be read, the photo and what is wrong with it.

    The next few are decoded while the caller works.
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


def _photos(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    )


def _labels_by_name(taxonomy: Taxonomy) -> dict[str, int]:
    names: dict[str, int] = {}
    for taxon in taxonomy:
        for name in (str(taxon.label), f"{taxon.label:03d}", taxon.name, taxon.scientific_name):
            if name:
                names.setdefault(_plain(name), taxon.label)
    return names


def _plain(name: str) -> str:
    return " ".join(re.sub(r"['’?]", "", name.casefold()).replace("-", " ").replace("_", " ").split())
