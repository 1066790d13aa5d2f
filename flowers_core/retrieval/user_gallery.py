"""Adds a user's photos to a bundle's gallery and removes them again. The bundle itself does not change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowers_core.data.photo_folder import ReadPhoto, read_photos, scan_folder
from flowers_core.data.progress import Track, untracked
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.inference.runtime import Runtime, open_runtime
from flowers_core.retrieval.user_photos import UserPhotos, load_user_photos, user_photos_file
from flowers_core.storage.files import locked

FORMAT = "int8"
_BATCH = 32


@dataclass(frozen=True)
class Change:
    """What adding or removing did.

    Attributes:
        before: how many user photos the gallery held.
        after: how many it holds now.
        moved: whether photos that were there already got a new path or class.
        left_out: a sentence about the folder's files that are not photos, or None.
    """

    before: int
    after: int
    moved: bool = False
    left_out: str | None = None


def add_user_photos(
    bundle: Bundle, folder: Path, *, unreadable: Callable[[FlowersError], None], track: Track = untracked
) -> Change:
    """Embed the photos of a folder that are not in the gallery yet and keep them.

    The photos are saved in batches, so a run that was interrupted can be resumed.

    Args:
        bundle: whose INT8 model embeds them.
        folder: the photos, in one folder for each class or all in one.
        unreadable: called with the error of each photo that cannot be read.
        track: shows progress over the photos.

    Returns:
        How many photos there were before and after, and what else changed.

    Raises:
        PhotoFolderError: for a folder of no class.
        FolderBusy: when another run is using the file.
    """
    scanned = scan_folder(folder, bundle.taxonomy)
    model, path = _place(bundle)
    with locked(path.parent):
        own = load_user_photos(path, model)
        before = len(own)
        runtime = open_runtime(bundle, FORMAT)
        kept_before, known = set(own.digests), set[str]()
        again: list[tuple[Path, int | None, str]] = []
        waiting: list[ReadPhoto] = []
        for read in track(read_photos(scanned.photos, bundle.crop_rule), "photos", len(scanned.photos)):
            if isinstance(read, tuple):
                unreadable(read[1])
            elif read.sha256 not in known:
                known.add(read.sha256)
                if read.sha256 in kept_before:
                    again.append((read.photo.path, read.photo.label, read.sha256))
                else:
                    waiting.append(read)
            if len(waiting) == _BATCH:
                own = _embedded(own, waiting, runtime, path)
        own = _embedded(own, waiting, runtime, path)
        moved = own.with_moved(again)
        if moved is not own:
            moved.save(path)
    return Change(before, len(own), moved is not own, scanned.describe_left_out())


def remove_user_photos(bundle: Bundle, folder: Path) -> Change:
    """Remove the photos that lay in a folder when they were added.

    Args:
        bundle: beside whose gallery the photos are kept.
        folder: the folder, which need not exist any more.

    Returns:
        How many photos there were before and after.

    Raises:
        FolderBusy: when another run is using the file.
    """
    model, path = _place(bundle)
    with locked(path.parent):
        own = load_user_photos(path, model)
        left = own.without_folder(folder)
        if len(left) < len(own):
            left.save(path)
    return Change(len(own), len(left))


def _place(bundle: Bundle) -> tuple[str, Path]:
    """The digest of the model that embeds, and the file that keeps the bundle's user photos."""
    path = user_photos_file(bundle.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    bundle.path(model_file(FORMAT))
    return bundle.digest(model_file(FORMAT)) or "", path


def _embedded(own: UserPhotos, waiting: list[ReadPhoto], runtime: Runtime, path: Path) -> UserPhotos:
    """Embed the waiting photos, save them with the others, and empty the list."""
    if not waiting:
        return own
    embeddings = runtime.forward(np.stack([read.pixels for read in waiting])).embedding
    own = own.with_added(
        [read.photo.path for read in waiting],
        [read.photo.label for read in waiting],
        [read.sha256 for read in waiting],
        embeddings,
    )
    own.save(path)
    waiting.clear()
    return own
