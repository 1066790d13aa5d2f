"""Lessons that a visitor gives a model: what one would change, and the model of the visitor's own that it makes."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.resources import bundle_files, galleries, models, server_settings, session, session_models
from flowers_core.data.photos import PhotoError
from flowers_core.inference.bundle import Bundle, BundleError, check_name, model_file
from flowers_core.storage.paths import default_models_dir

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from flowers_core.lessons.proposal import Proposal

#: What a lesson is embedded and answered by.
FORMAT = "int8"
_NO_ROOM = "This server has no room for lessons: its temporary folder cannot be written."


def can_be_taught(bundle: Bundle) -> bool:
    """Whether a model has what a lesson takes: an INT8 model and a gallery."""
    from flowers_core.retrieval.gallery_files import INDEX_FILE, RECORDS_FILE

    return all(bundle.has(name) for name in (model_file(FORMAT), INDEX_FILE, RECORDS_FILE))


def embedding(content: bytes, bundle: Bundle) -> tuple[str, NDArray[np.float32]]:
    """SHA-256 and embedding of an uploaded photo. Raises PhotoError."""
    return _embedding(content, bundle_files.digest(bundle, model_file(FORMAT)), bundle)


@st.cache_resource(show_spinner=False, scope="session", max_entries=64)
def _embedding(content: bytes, model: str, _bundle: Bundle) -> tuple[str, NDArray[np.float32]]:  # noqa: ARG001
    from flowers_core.data.photos import read_photo
    from flowers_core.retrieval.lesson_photos import embedding_of

    photo = read_photo(content)
    return photo.sha256, embedding_of(photo, models.runtime(_bundle, FORMAT), _bundle.crop_rule)


def read(files: Sequence[tuple[str, bytes]], bundle: Bundle) -> tuple[dict[str, NDArray[np.float32]], list[str]]:
    """The photos of a lesson that can be read, and a sentence for each file that cannot, or that is there twice.

    Args:
        files: name and bytes of each.
        bundle: the model.

    Returns:
        SHA-256 → embedding, in the order given; and the sentences.
    """
    found: dict[str, NDArray[np.float32]] = {}
    problems = []
    for name, content in files:
        try:
            sha256, vector = embedding(content, bundle)
        except PhotoError as error:
            problems.append(f"{name} is left out. {error}")
            continue
        if sha256 in found:
            problems.append(f"{name} is the same photo as another one; it counts once.")
        found[sha256] = vector
    return found, problems


def proposal(bundle: Bundle, name: str, photos: dict[str, NDArray[np.float32]]) -> Proposal:
    """What a lesson would change; worked out once.

    Args:
        bundle: the model.
        name: of the flower.
        photos: as `read` gives them, at least one.

    Raises:
        TeachingError: a name that is none, or photos that nothing can be learnt from.
    """
    import numpy as np

    from flowers_core.lessons.proposal import proposed

    key = ("lesson", models.model_digest(bundle, FORMAT), name, *photos)
    vectors = np.stack(list(photos.values()))
    return session.remember(key, lambda: proposed(bundle, name, list(photos), vectors, galleries.gallery(bundle)))


def keep(bundle: Bundle, kept: Proposal) -> Bundle:
    """Make a lesson part of a model of the visitor's own: of this one if it is theirs, else of a copy.

    Raises:
        TeachingError: where the server has no room.
    """
    from flowers_core.lessons.proposal import keep
    from flowers_core.retrieval.teaching import TeachingError

    mine = session_models.is_mine(bundle)
    name = bundle.name if mine else _free_name(bundle)
    origin = session_models.origin_of(bundle) if mine else bundle.name
    try:
        folder = session_models.folder_for(name)
        made = keep(bundle, kept, folder, gallery=galleries.gallery(bundle), linked=True)
    except OSError as error:
        raise TeachingError(_NO_ROOM) from error
    session_models.add(made, origin)
    return made


def take_back(bundle: Bundle) -> str:
    """Undo the last lesson of one of the visitor's models.

    Returns:
        The name of the model that then answers: what it was taught from where no lesson of the visitor's is left.
    """
    from flowers_core.lessons.proposal import undone

    origin = session_models.origin_of(bundle)
    before = next((found for found in models.model_list().bundles if found.name == origin), None)
    if before is not None and len(bundle.manifest.taught) - 1 <= len(before.manifest.taught):
        session_models.remove(bundle)
        return origin
    return keep(bundle, undone(bundle, galleries.gallery(bundle))).name


def rename(bundle: Bundle, name: str) -> Bundle:
    """Call one of the visitor's models otherwise. Raises BundleError for what cannot name a model, or is taken."""
    from flowers_core.inference.bundle import load_bundle
    from flowers_core.inference.bundle_writer import BundleWriter

    check_name(name)
    if name in {found.name for found in models.model_list().bundles}:
        raise BundleError(f"There is a model '{name}' already; choose another name.")
    origin, folder = session_models.origin_of(bundle), session_models.folder_for(name)
    bundle.folder.rename(folder)
    BundleWriter(folder, replace(bundle.manifest, name=name)).save()
    session_models.remove(bundle)
    renamed = load_bundle(folder)
    session_models.add(renamed, origin)
    return renamed


def packed(bundle: Bundle) -> bytes:
    """A model as one file to give away."""
    from flowers_core.inference.archive import pack_bundle

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{bundle.name}.zip"
        pack_bundle(bundle, path)
        return path.read_bytes()


def keep_on_server(content: bytes) -> Bundle:
    """Put a packed model into the server's folder of models.

    Raises:
        BundleError: where the owner of the server does not allow it, or the file is no whole bundle.
    """
    from flowers_core.inference.archive import ArchiveError, unpack_bundle

    if not server_settings.models_may_be_kept():
        raise BundleError("The owner of this server does not let visitors keep models here.")
    try:
        return unpack_bundle(io.BytesIO(content), default_models_dir())
    except OSError as error:
        raise ArchiveError(f"The folder of models cannot be written: {error.strerror}.") from error


def _free_name(bundle: Bundle) -> str:
    """The bundle's name with the ending that taught ones have, and a number where that is taken."""
    taken = {found.name for found in models.model_list().bundles}
    stem = f"{bundle.name.removesuffix('_taught')}_taught"
    numbered = [stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in numbered if name not in taken)
