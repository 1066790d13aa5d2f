"""A user's photos beside a bundle's gallery. They can be added and removed while the bundle does not change.

They are kept in one small file for each bundle. `ExtendedGallery` searches them and the bundle's gallery as one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.photo_ref import PhotoRef
from flowers_core.errors import FlowersError
from flowers_core.retrieval.gallery import Gallery, GalleryError, unit_rows
from flowers_core.retrieval.neighbour import Neighbour
from flowers_core.storage.files import write_npz
from flowers_core.storage.npz import NpzError, read_npz
from flowers_core.storage.paths import default_user_photos_dir

USER_SPLIT = "user"
UNLABELLED = 0


class UserPhotosError(FlowersError):
    """A file of user photos that cannot be used."""


@dataclass(frozen=True, eq=False)
class UserPhotos:
    """n photos of a user as one model sees them.

    Attributes:
        model: SHA-256 of the model that embedded them.
        ids: (n,) int64; an id is never given twice in the file's life.
        labels: (n,) int64, 1-based, or UNLABELLED.
        paths: where each photo lay when it was added.
        digests: SHA-256 of each file in hexadecimal, each once.
        embeddings: (n, c) float32.
        next_id: the id that the next photo gets.
    """

    model: str
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    paths: tuple[str, ...]
    digests: tuple[str, ...]
    embeddings: NDArray[np.float32]
    next_id: int = 1

    def __len__(self) -> int:
        return len(self.ids)

    def path_of(self, photo_id: int) -> Path | None:
        """Where the photo lay when it was added; None for an unknown id."""
        at = np.flatnonzero(self.ids == photo_id)
        return Path(self.paths[at[0]]) if len(at) else None

    def label_of(self, photo_id: int) -> int:
        """The photo's class, 1-based; UNLABELLED for a photo without a class or an unknown id."""
        at = np.flatnonzero(self.ids == photo_id)
        return int(self.labels[at[0]]) if len(at) else UNLABELLED

    def with_added(
        self,
        paths: Sequence[Path],
        labels: Sequence[int | None],
        digests: Sequence[str],
        embeddings: NDArray[np.float32],
    ) -> UserPhotos:
        """These photos and more. A file that is here already, by its bytes, keeps its id and path.

        Args:
            paths: n paths.
            labels: n labels, 1-based, or None for a photo without a class.
            digests: SHA-256 of each file, in hexadecimal.
            embeddings: (n, c).

        Returns:
            This object itself if no file is new.
        """
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
            labels=np.concatenate([self.labels, np.array([labels[at] or UNLABELLED for at in fresh], np.int64)]),
            paths=(*self.paths, *(_place(paths[at]) for at in fresh)),
            digests=(*self.digests, *(digests[at] for at in fresh)),
            embeddings=np.concatenate([self.embeddings, new]) if len(self) else new,
            next_id=self.next_id + len(fresh),
        )

    def with_moved(self, found: Iterable[tuple[Path, int | None, str]]) -> UserPhotos:
        """These photos with the present paths and classes of the ones that were found again; ids stay.

        Args:
            found: path, label and digest of photos that are here.

        Returns:
            This object itself if nothing moved.
        """
        row_of = {digest: row for row, digest in enumerate(self.digests)}
        paths, labels = list(self.paths), self.labels.copy()
        for path, label, digest in found:
            paths[row_of[digest]] = _place(path)
            labels[row_of[digest]] = label or UNLABELLED
        if tuple(paths) == self.paths and (labels == self.labels).all():
            return self
        return replace(self, paths=tuple(paths), labels=labels)

    def without_folder(self, folder: Path) -> UserPhotos:
        """These photos without the ones that lay in a folder, or in a folder within it, when they were added.

        A link belongs to the folder of the link, not of its target. The folder may be given by any of its names.
        """
        names = {Path(_place(folder)), folder.resolve()}
        kept = [at for at, path in enumerate(self.paths) if names.isdisjoint(_folders_around(Path(path)))]
        return replace(
            self,
            ids=self.ids[kept],
            labels=self.labels[kept],
            paths=tuple(self.paths[at] for at in kept),
            digests=tuple(self.digests[at] for at in kept),
            embeddings=self.embeddings[kept],
        )

    def save(self, path: Path) -> None:
        """Write the file atomically: if the process is killed, either the old or the new file is there."""
        write_npz(
            path,
            model=self.model,
            ids=self.ids,
            labels=self.labels,
            paths=np.array(self.paths, np.str_),
            digests=np.array(self.digests, np.str_),
            embeddings=self.embeddings,
            next_id=self.next_id,
        )


class ExtendedGallery:
    """A bundle's gallery and a user's photos, searched as one.

    The user's embeddings are few, so they are compared one by one, in float64.
    """

    def __init__(self, gallery: Gallery, collection: str, user: UserPhotos | None = None) -> None:
        """Join the two.

        Args:
            gallery: the bundle's.
            collection: the name of the bundle, for references to the user's photos.
            user: the user's photos, embedded by the same model.

        Raises:
            GalleryError: when the photos were embedded by another model.
        """
        self.gallery, self.collection = gallery, collection
        self.user = user if user is not None and len(user) else None
        if self.user is not None and self.user.embeddings.shape[1] != gallery.dimension:
            raise GalleryError(
                f"Embeddings of {self.user.embeddings.shape[1]} values cannot join a gallery of {gallery.dimension}: "
                "they were made with another model."
            )
        self._unit = None if self.user is None else unit_rows(self.user.embeddings.astype(np.float64))

    def photos_of(self, sha256: str) -> tuple[PhotoRef, ...]:
        """The photos whose files have this SHA-256, in hexadecimal."""
        found = tuple(self.gallery.photo_set.ref(photo_id) for photo_id in self.gallery.ids_of(sha256))
        if self.user is None or sha256 not in self.user.digests:
            return found
        return (*found, self._ref(self.user.digests.index(sha256)))

    def vector(self, photo: PhotoRef) -> NDArray[np.float32]:
        """A photo's embedding, (c,) float32 of norm 1. Raises GalleryError for an unknown photo."""
        if photo.photo_set == self.gallery.photo_set:
            return self.gallery.vector(photo.id)
        if photo.source == "user" and self.user is not None and self._unit is not None:
            rows = np.flatnonzero(self.user.ids == photo.id)
            if len(rows):
                return self._unit[rows[0]].astype(np.float32)
        raise GalleryError(f"Photo {photo} is not in the gallery.")

    def search(
        self,
        embedding: ArrayLike,
        k: int,
        *,
        splits: Collection[str] | None = None,
        labels: Collection[int] | None = None,
        exclude: Collection[PhotoRef] = (),
    ) -> list[Neighbour]:
        """Find the k photos of both that are nearest to an embedding.

        Args:
            embedding, k, labels: as in `Gallery.search`.
            splits: likewise; the user's photos are of USER_SPLIT.
            exclude: photos to leave out, of both.

        Returns:
            The most similar first; of equals the bundle's before the user's, then by id.

        Raises:
            GalleryError: as `Gallery.search`.
        """
        left_out = {photo.id for photo in exclude if photo.photo_set == self.gallery.photo_set}
        found = self.gallery.search(embedding, k, splits=splits, labels=labels, exclude=left_out)
        if self.user is None or self._unit is None or (splits is not None and USER_SPLIT not in splits):
            return found
        query = unit_rows(np.asarray(embedding, dtype=np.float64)[None])[0]
        cosines = np.clip((self._unit * query).sum(axis=1), -1, 1)
        mine = [
            Neighbour(photo, label, USER_SPLIT, float(cosine))
            for row, (label, cosine) in enumerate(zip(self.user.labels.tolist(), cosines, strict=True))
            if (photo := self._ref(row)) not in exclude and (labels is None or label in labels)
        ]
        both = [*found, *sorted(mine, key=lambda neighbour: (-neighbour.similarity, neighbour.photo_id))]
        return sorted(both, key=lambda neighbour: -neighbour.similarity)[:k]

    def _ref(self, row: int) -> PhotoRef:
        assert self.user is not None
        return PhotoRef("user", int(self.user.ids[row]), self.collection)


def load_user_photos(path: Path, model: str) -> UserPhotos:
    """Read a file of user photos.

    Args:
        path: the file; if it does not exist, there are no photos.
        model: SHA-256 of the model that the gallery was made with.

    Returns:
        The photos.

    Raises:
        UserPhotosError: when the file is damaged, or its photos were embedded by another model.
    """
    if not path.exists():
        empty = np.empty(0, np.int64)
        return UserPhotos(model, empty, empty, (), (), np.empty((0, 0), np.float32))
    try:
        arrays = read_npz(path)
        found = UserPhotos(
            model=str(arrays["model"]),
            ids=arrays["ids"].astype(np.int64),
            labels=arrays["labels"].astype(np.int64),
            paths=tuple(arrays["paths"].astype(np.str_).tolist()),
            digests=tuple(arrays["digests"].astype(np.str_).tolist()),
            embeddings=arrays["embeddings"].astype(np.float32),
            next_id=int(arrays["next_id"]),
        )
        lengths = {len(found.labels), len(found.paths), len(found.digests), len(found.embeddings)}
        whole = found.embeddings.ndim == 2 and lengths == {len(found.ids)}
    except (NpzError, KeyError, ValueError, TypeError) as error:
        raise UserPhotosError(f"{path} is damaged. Delete it and add your photos again.") from error
    if not whole:
        raise UserPhotosError(f"{path} is damaged. Delete it and add your photos again.")
    if found.model != model:
        raise UserPhotosError(
            f"The photos in {path} were embedded by another version of the model. Delete the file and add them again."
        )
    return found


def user_photos_file(bundle_name: str) -> Path:
    """Where the user photos beside a bundle are kept: FLOWERS_OWN_DIR, or `own/` of this project."""
    return default_user_photos_dir() / f"{bundle_name}.npz"


def _place(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - unlike `resolve`, it does not follow links


def _folders_around(path: Path) -> set[Path]:
    """The folders in which a photo lies, by the names in its path and by their names without links."""
    folder = path.parent.resolve()
    return {*path.parents, folder, *folder.parents}
