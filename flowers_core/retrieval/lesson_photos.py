"""The photos of a lesson as embeddings: new ones, those that a head has learnt, and those that it has answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.photos import Photo, open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.taught_model import FORMAT, taught_model
from flowers_core.retrieval.teaching import Array, Examples, Head, TeachingError
from flowers_core.retrieval.user_photos import UserPhotos


def embed(
    bundle: Bundle, paths: Sequence[Path], *, track: Track = untracked
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Let a bundle's INT8 model see photos.

    Args:
        bundle: the model.
        paths: the m photos.
        track: watches them pass.

    Returns:
        The SHA-256 of each photo's file in hexadecimal, and the embeddings (m, c) float32.

    Raises:
        PhotoError: for a photo that cannot be read.
        TeachingError: where there are no photos.
    """
    if not paths:
        raise TeachingError("There are no photos to learn from; give three to ten.")
    runtime = Runtime(bundle.path(model_file(FORMAT)))
    digests, embeddings = [], []
    for path in track(paths, "photos", len(paths)):
        photo = open_photo(path)
        digests.append(photo.sha256)
        embeddings.append(embedding_of(photo, runtime, bundle.crop_rule))
    return tuple(digests), np.stack(embeddings)


def embedding_of(photo: Photo, runtime: Runtime, rule: CropRule) -> NDArray[np.float32]:
    """The embedding (c,) of one photo.

    Args:
        photo: the photo.
        runtime: the INT8 model.
        rule: how the model takes a photo.
    """
    return runtime.forward(model_input(photo.pixels, rule).pixels[None]).embedding[0]


def stored_photos(bundle: Bundle, length: float, gallery: Gallery | None = None) -> Examples:
    """The photos that a bundle's head has learnt, from its gallery.

    Args:
        bundle: with a gallery.
        length: what all embeddings are scaled to, since the gallery keeps directions only. Lengths differ little.
        gallery: the bundle's; None loads it.
    """
    gallery = gallery or gallery_of(bundle)
    vectors = gallery.vectors(_learnt_splits(bundle)).astype(np.float64)
    return Examples(vectors * length, stored_labels(bundle, gallery) - 1)


def stored_labels(bundle: Bundle, gallery: Gallery) -> NDArray[np.int64]:
    """The labels, 1-based, of the photos that a bundle's head has learnt.

    Args:
        bundle: the model.
        gallery: the bundle's.
    """
    return gallery.labels[np.isin(gallery.splits, list(_learnt_splits(bundle)))]


def _learnt_splits(bundle: Bundle) -> tuple[str, ...]:
    return bundle.fitted_splits or ("train",)


def photos_of_lessons(bundle: Bundle) -> UserPhotos:
    """The photos that a bundle was taught with, to be found beside its gallery. Their files are not kept."""
    lessons = taught_model(bundle).lessons
    examples = taught_model(bundle).examples
    names = [Path(f"{each.name}, photo {row + 1}") for each in lessons for row in range(len(each.digests))]
    empty = np.empty(0, np.int64)
    none = UserPhotos(bundle.digest(model_file(FORMAT)) or "", empty, empty, (), (), np.empty((0, 0), np.float32))
    digests = [digest for each in lessons for digest in each.digests]
    labels = (examples.columns + 1).tolist()
    return none.with_added(names, labels, digests, examples.embeddings.astype(np.float32))


def answered_photos(
    bundle: Bundle, photo_ids: ArrayLike, logits: ArrayLike, head: Head, gallery: Gallery | None = None
) -> Array:
    """The embeddings (n, c) of photos in a bundle's gallery, their lengths worked out from logits.

    Args:
        bundle: with a gallery.
        photo_ids: (n,).
        logits: (n, classes) that `head` gave for them.
        head: the bundle's.
        gallery: the bundle's; None loads it.
    """
    directions = (gallery or gallery_of(bundle)).vectors_of(photo_ids)
    return directions * embedding_norms(directions, logits, head)[:, None]


def gallery_of(bundle: Bundle) -> Gallery:
    """A bundle's gallery. Raises TeachingError where it has none, since nothing can be taught then."""
    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise TeachingError(f"'{bundle.name}' has no gallery to teach with; `flowers build_gallery` makes it.")
    return Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE), bundle.photo_set)


def embedding_norms(directions: ArrayLike, logits: ArrayLike, head: Head) -> Array:
    """The lengths of embeddings of which a gallery keeps the direction only, from the logits that they gave.

    Args:
        directions: (n, c) of norm 1.
        logits: (n, classes) that the head gave for the embeddings.
        head: the head.

    Returns:
        (n,) float64, the lengths that explain the logits with the least squares.
    """
    evidence = np.asarray(directions, np.float64) @ head.weights
    return (evidence * (np.asarray(logits, np.float64) - head.bias)).sum(axis=1) / (evidence**2).sum(axis=1)
