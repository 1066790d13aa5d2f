"""A model's gallery and what is made of it: neighbours, prototypes, the training photos that decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.resources.bundle_files import PREFERRED_FORMAT, bundle_file, digest, head, optional_file
from flowers_core.inference.bundle import HEAD_FILE, Bundle, model_file

if TYPE_CHECKING:
    from flowers_core.explain.representers import Representers
    from flowers_core.inference.prototypes import Prototypes
    from flowers_core.inference.records.gallery import KnnRule
    from flowers_core.retrieval.gallery import Gallery
    from flowers_core.retrieval.similarity import ClassSimilarity
    from flowers_core.retrieval.user_photos import ExtendedGallery, UserPhotos


def gallery(bundle: Bundle) -> Gallery | None:
    """The index over all photos of the data set, or None when the bundle comes without one."""
    from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery

    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE)):
        return None
    # The records hold the digest of the index that they belong to, so their content names both.
    return bundle_file(
        bundle, RECORDS_FILE, lambda records: Gallery.load(bundle.path(INDEX_FILE), records, bundle.photo_set)
    )


def user_photos(bundle: Bundle) -> UserPhotos | None:
    """The user's photos beside this model's gallery, or None where there are none that can be used.

    Beside a model that was taught they are the photos of its lessons.
    """
    if bundle.manifest.taught:
        from flowers_core.retrieval.lesson_photos import photos_of_lessons
        from flowers_core.retrieval.taught_model import TAUGHT_FILE

        return bundle_file(bundle, TAUGHT_FILE, lambda _: photos_of_lessons(bundle))
    from flowers_core.retrieval.user_photos import UserPhotosError, user_photos_file

    path = user_photos_file(bundle.name)
    if not (path.is_file() and bundle.has(model_file(PREFERRED_FORMAT))):
        return None
    try:
        found = _user_photos(str(path), path.stat().st_mtime_ns, digest(bundle, model_file(PREFERRED_FORMAT)))
    except UserPhotosError:
        return None  # the script that adds photos says what is wrong with them
    return found if len(found) else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _user_photos(path: str, changed: int, model: str) -> UserPhotos:  # noqa: ARG001
    from flowers_core.retrieval.user_photos import load_user_photos

    return load_user_photos(Path(path), model)


def extended_gallery(bundle: Bundle) -> ExtendedGallery | None:
    """The gallery and the user's photos beside it, or None when the bundle comes without a gallery."""
    from flowers_core.retrieval.user_photos import ExtendedGallery

    known = gallery(bundle)
    return None if known is None else ExtendedGallery(known, bundle.name, user_photos(bundle))


def prototypes(bundle: Bundle) -> Prototypes | None:
    """The prototype of each class among the embeddings, or None when the bundle comes without a gallery."""
    from flowers_core.retrieval.gallery import RECORDS_FILE
    from flowers_core.retrieval.gallery_prototypes import prototypes_of
    from flowers_core.retrieval.taught_model import TAUGHT_FILE

    known = gallery(bundle)
    if known is None:
        return None
    what = f"prototypes {bundle.digest(TAUGHT_FILE) or ''}"
    return bundle_file(bundle, RECORDS_FILE, lambda _: prototypes_of(bundle, known), what=what)


def representers(bundle: Bundle) -> Representers | None:
    """What each training photo says for any other photo, or None when the bundle comes without a gallery."""
    from flowers_core.retrieval.gallery import RECORDS_FILE

    known = gallery(bundle)
    if known is None or not bundle.fitted_splits:
        return None
    what = f"representers {digest(bundle, HEAD_FILE)}"
    return bundle_file(bundle, RECORDS_FILE, lambda _: _representers_of(bundle, known), what=what)


def _representers_of(bundle: Bundle, known: Gallery) -> Representers:
    import numpy as np

    from flowers_core.explain.representers import representers_of

    learnt = np.isin(known.splits, bundle.fitted_splits)
    return representers_of(known.ids[learnt], known.labels[learnt], known.vectors(bundle.fitted_splits), head(bundle))


def class_similarity(bundle: Bundle) -> ClassSimilarity | None:
    """How similar two photos of a class are to this model, or None when the bundle comes without."""
    from flowers_core.retrieval.similarity import SIMILARITY_FILE, load_class_similarity

    return optional_file(bundle, SIMILARITY_FILE, load_class_similarity)


def knn_rule(bundle: Bundle) -> KnnRule | None:
    """How this model's neighbours are weighted, or None when no rule was chosen for it."""
    return bundle.manifest.knn
