"""Photos of one's own in the gallery: what `python -m scripts.build_gallery BUNDLE --photos DIR` does.

What is done is kept after every few photos, so that a run that was broken off is taken up where it was.
"""

from pathlib import Path

import numpy as np

from flowers_core.data.photo_folder import ReadPhoto, read_photos, scan_folder
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.user_photos import UserPhotos, load_user_photos, user_photos_file
from flowers_core.storage.files import locked
from scripts.options.command import progress

_PRECISION = "int8"
_BATCH = 32


def add_photos(bundle: Bundle, folder: Path) -> None:
    """Embed the photos of a folder that are not in the gallery yet and keep them.

    Raises PhotoFolderError for a folder of no class, FolderBusy where another run is at it.
    """
    scanned = scan_folder(folder, load_taxonomy())
    found = scanned.photos
    model, path = _place(bundle)
    with locked(path.parent):
        own = load_user_photos(path, model)
        before = len(own)
        runtime = Runtime(bundle.path(f"{_PRECISION}.tflite"))
        kept_before, known = set(own.digests), set[str]()
        again: list[tuple[Path, int | None, str]] = []
        waiting: list[ReadPhoto] = []
        for read in progress(read_photos(found, bundle.crop_rule), "photos", len(found)):
            if isinstance(read, tuple):
                print(f"Left out: {read[1]}")
            elif read.sha256 not in known:
                known.add(read.sha256)
                if read.sha256 in kept_before:
                    again.append((read.photo.path, read.photo.label, read.sha256))
                else:
                    waiting.append(read)
            if len(waiting) == _BATCH:
                own = _kept(own, waiting, runtime, path)
        own = _kept(own, waiting, runtime, path)
        moved = own.with_moved(again)
        if moved is not own:
            moved.save(path)
            print("Photos that lie elsewhere now, or whose folder has another name, have their new place and class.")
    if others := scanned.describe_left_out():
        print(others)
    print(f"{len(own) - before} photos were added; {len(own)} of your own are in the gallery of {bundle.name}.")


def remove_photos(bundle: Bundle, folder: Path) -> None:
    """Take out the photos that lay in a folder when they were added; the folder itself need not be there any more."""
    model, path = _place(bundle)
    with locked(path.parent):
        own = load_user_photos(path, model)
        left = own.without_folder(folder)
        if len(left) < len(own):
            left.save(path)
    print(f"{len(own) - len(left)} photos were taken out; {len(left)} of your own are in the gallery of {bundle.name}.")


def _place(bundle: Bundle) -> tuple[str, Path]:
    path = user_photos_file(bundle.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    bundle.path(f"{_PRECISION}.tflite")
    return bundle.digest(model_file(_PRECISION)) or "", path


def _kept(own: UserPhotos, waiting: list[ReadPhoto], runtime: Runtime, path: Path) -> UserPhotos:
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
