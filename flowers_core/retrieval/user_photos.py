"""Photos of one's own beside a bundle's gallery: added, removed and added again, while the bundle stays as it is.

They lie in one small file for each bundle, apart from it. The gallery is extended by them when it is loaded, which
takes no training: FAISS adds vectors to a quantizer that is trained already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.errors import FlowersError
from flowers_core.retrieval.gallery import Gallery
from flowers_core.storage.files import write_atomically
from flowers_core.storage.npz import NpzError, read_npz
from flowers_core.storage.paths import default_user_photos_dir

OWN_SPLIT = "own"
UNSAID = 0
# Numbers from here on are photos of one's own; the dataset's end at 8189.
FIRST_ID = 1_000_001


class OwnPhotosError(FlowersError):
    """A file of one's own photos that cannot be used; the message is a sentence for the person who meets it."""


@dataclass(frozen=True, eq=False)
class OwnPhotos:
    """n photos of one's own as one model sees them.

    model: SHA-256 of the model that embedded them. ids: (n,) int64 from FIRST_ID on, never given twice in the file's
    life. labels: (n,) int64, 1…102, or UNSAID. digests: SHA-256 of each file, no two alike. embeddings: (n, c) float32.
    next_id: the number that the next photo gets.
    """

    model: str
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    paths: tuple[str, ...]
    digests: tuple[str, ...]
    embeddings: NDArray[np.float32]
    next_id: int = FIRST_ID

    def __len__(self) -> int:
        return len(self.ids)

    def path_of(self, photo_id: int) -> Path | None:
        """Where the photo lay when it was added; None for one that is not here."""
        at = np.flatnonzero(self.ids == photo_id)
        return Path(self.paths[at[0]]) if len(at) else None

    def with_added(
        self,
        paths: Sequence[Path],
        labels: Sequence[int | None],
        digests: Sequence[str],
        embeddings: NDArray[np.float32],
    ) -> OwnPhotos:
        """These and more. A file that is here already, by its bytes, keeps its number and place."""
        known, fresh = set(self.digests), []
        for at, digest in enumerate(digests):
            if digest not in known:
                known.add(digest)
                fresh.append(at)
        if not fresh:
            return self
        new = np.asarray(embeddings, dtype=np.float32)[fresh]
        return replace(
            self,
            ids=np.concatenate([self.ids, np.arange(self.next_id, self.next_id + len(fresh))]),
            labels=np.concatenate([self.labels, np.array([labels[at] or UNSAID for at in fresh], np.int64)]),
            paths=(*self.paths, *(str(paths[at].resolve()) for at in fresh)),
            digests=(*self.digests, *(digests[at] for at in fresh)),
            embeddings=np.concatenate([self.embeddings, new]) if len(self) else new,
            next_id=self.next_id + len(fresh),
        )

    def without_folder(self, folder: Path) -> OwnPhotos:
        """These without the ones that lay in a folder, or in one within it, when they were added."""
        root = folder.resolve()
        kept = [at for at, path in enumerate(self.paths) if root not in Path(path).parents]
        return replace(
            self,
            ids=self.ids[kept],
            labels=self.labels[kept],
            paths=tuple(self.paths[at] for at in kept),
            digests=tuple(self.digests[at] for at in kept),
            embeddings=self.embeddings[kept],
        )

    def save(self, path: Path) -> None:
        """Write the file in one step: a kill at any moment leaves the one before or this one."""
        write_atomically(
            path,
            lambda beside: np.savez(
                beside,
                model=self.model,
                ids=self.ids,
                labels=self.labels,
                paths=np.array(self.paths, np.str_),
                digests=np.array(self.digests, np.str_),
                embeddings=self.embeddings,
                next_id=self.next_id,
            ),
        )

    def beside(self, gallery: Gallery) -> Gallery:
        """The gallery with these photos in it, in split OWN_SPLIT; the one given is left as it is."""
        if not len(self):
            return gallery
        return gallery.extended(self.embeddings, self.ids, self.labels, [OWN_SPLIT] * len(self), self.digests)


def load_own(path: Path, model: str) -> OwnPhotos:
    """The photos in a file, none where there is no file. model: SHA-256 of the model that the gallery was made with.

    Raises OwnPhotosError when the file is damaged, or its photos were embedded by another model.
    """
    if not path.exists():
        empty = np.empty(0, np.int64)
        return OwnPhotos(model, empty, empty, (), (), np.empty((0, 0), np.float32))
    try:
        arrays = read_npz(path)
        found = OwnPhotos(
            model=str(arrays["model"]),
            ids=arrays["ids"].astype(np.int64),
            labels=arrays["labels"].astype(np.int64),
            paths=tuple(arrays["paths"].astype(np.str_).tolist()),
            digests=tuple(arrays["digests"].astype(np.str_).tolist()),
            embeddings=arrays["embeddings"].astype(np.float32),
            next_id=int(arrays["next_id"]),
        )
    except (NpzError, KeyError, ValueError, TypeError) as error:
        raise OwnPhotosError(f"{path} is damaged. Delete it and add your photos again.") from error
    n = len(found.ids)
    if found.embeddings.ndim != 2 or {
        len(found.labels),
        len(found.paths),
        len(found.digests),
        len(found.embeddings),
    } != {n}:
        raise OwnPhotosError(f"{path} is damaged. Delete it and add your photos again.")
    if found.model != model:
        raise OwnPhotosError(
            f"The photos in {path} were looked at by another version of the model. Delete the file and add them again."
        )
    return found


def own_file(bundle_name: str) -> Path:
    """Where the photos beside a bundle are kept: FLOWERS_OWN_DIR, or `own/` of this project."""
    return default_user_photos_dir() / f"{bundle_name}.npz"
