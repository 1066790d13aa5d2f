"""The photos of a lesson as embeddings: new ones, those that a head has learnt, and those that it has answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.model_input import model_input
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.inference.bundle import Bundle, model_file
from flowers_core.inference.runtime import Runtime
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.taught_model import FORMAT
from flowers_core.retrieval.teaching import Array, Examples, Head, TeachingError, embedding_norms


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
        embeddings.append(runtime.forward(model_input(photo.pixels, bundle.crop_rule).pixels[None]).embedding[0])
    return tuple(digests), np.stack(embeddings)


def stored_photos(bundle: Bundle, length: float) -> Examples:
    """The photos that a bundle's head has learnt, from its gallery.

    Args:
        bundle: with a gallery.
        length: what all embeddings are scaled to, since the gallery keeps directions only. Lengths differ little.
    """
    gallery = _gallery(bundle)
    splits = bundle.fitted_splits or ("train",)
    labels = gallery.labels[np.isin(gallery.splits, list(splits))]
    return Examples(gallery.vectors(splits).astype(np.float64) * length, labels - 1)


def answered_photos(bundle: Bundle, photo_ids: ArrayLike, logits: ArrayLike, head: Head) -> Array:
    """The embeddings (n, c) of photos in a bundle's gallery, their lengths worked out from logits.

    Args:
        bundle: with a gallery.
        photo_ids: (n,).
        logits: (n, classes) that `head` gave for them.
        head: the bundle's.
    """
    gallery = _gallery(bundle)
    directions = np.stack([gallery.vector(int(photo_id)) for photo_id in np.asarray(photo_ids)])
    return directions * embedding_norms(directions, logits, head)[:, None]


def _gallery(bundle: Bundle) -> Gallery:
    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        raise TeachingError(f"'{bundle.name}' has no gallery to teach with; `flowers build_gallery` makes it.")
    return Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
