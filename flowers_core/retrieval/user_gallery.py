"""Photos of a person's own added to a bundle's gallery and taken out again; the bundle itself stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowers_core.data.photo_folder import ReadPhoto, read_photos, scan_folder
from flowers_core.data.progress import Track, untracked
from flowers_core.data.taxonomy import load_taxonomy
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
        before, after: how many photos of one's own the gallery held and holds.
        moved: whether photos that were there already got a new place or class.
        left_out: a sentence about the folder's files that are no photos, or None.
    """

    before: int
    after: int
    moved: bool = False
    left_out: str | None = None


def add_user_photos(
    bundle: Bundle, folder: Path, *, unreadable: Callable[[FlowersError], None], track: Track = untracked
) -> Change:
    """Embed the photos of a folder that are not in the gallery yet and keep them.

    What is done is kept after every few photos: a run that was broken off is taken up where it was.

    Args:
        bundle: whose INT8 model embeds them.
        folder: one folder a class, or one for all.
        unreadable: called with what is wrong with each photo that cannot be read.
        track: watches the photos pass.

    Raises:
        PhotoFolderError: for a folder of no class.
        FolderBusy: where another run is at it.
    """
    scanned = scan_folder(folder, load_taxonomy())
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
    """Take out the photos that lay in a folder when they were added; the folder itself need not be there any more."""
    model, path = _place(bundle)
    with locked(path.parent):
        own = load_user_photos(path, model)
        left = own.without_folder(folder)
        if len(left) < len(own):
            left.save(path)
    return Change(len(own), len(left))


def _place(bundle: Bundle) -> tuple[str, Path]:
    """The digest of the model that embeds, and the file of the photos beside the bundle."""
    path = user_photos_file(bundle.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    bundle.path(model_file(FORMAT))
    return bundle.digest(model_file(FORMAT)) or "", path


def _embedded(own: UserPhotos, waiting: list[ReadPhoto], runtime: Runtime, path: Path) -> UserPhotos:
    """The photos and those that waited, on disk; nothing waits afterwards."""
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
