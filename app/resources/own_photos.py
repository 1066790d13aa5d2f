"""The visitor's own photos in this session: of each a copy small enough to keep. The files themselves are dropped."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.resources import models, session
from flowers_core.inference.bundle import Bundle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from flowers_core.data.photos import Photo
    from flowers_core.inference.prediction import Prediction

#: So many are kept; the one that was given first goes first.
MOST = 12
# To the eye the copy is the photo. A model that is in doubt may take it otherwise, so what models made of the photo
# itself is kept beside (`session.RECENT_PASSES`).
QUALITY = 95
SMALL_SIDE = 320
_PHOTOS = "own-photos"
# The one that *Identify* is about, and those that were given together with it.
_GIVEN, _TOGETHER = "given-photo", "given-together"


@dataclass(frozen=True, eq=False)
class OwnPhoto:
    """A photo that the visitor gave.

    Attributes:
        name: of its file, as the visitor has it.
        sha256: of its file, hexadecimal.
        format: of its file.
        original_size: width and height in pixels.
        copy: the decoded photo as a JPEG, 1 MB or so.
        small: a thumbnail, JPEG.
    """

    name: str
    sha256: str
    format: str
    original_size: tuple[int, int]
    copy: bytes
    small: bytes

    def open(self) -> Photo:
        """The photo, decoded again unless it was just now."""
        return session.decoded(self.sha256, self._from_copy)

    def _from_copy(self) -> Photo:
        from flowers_core.data.photos import read_photo

        photo = read_photo(self.copy)
        return replace(photo, sha256=self.sha256, format=self.format, original_size=self.original_size)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a model makes of an own photo.

    Attributes:
        prediction: the answer, from several looks where one leaves doubt.
        logits: (classes,) float32.
        embedding: (c,) float32.
    """

    prediction: Prediction
    logits: NDArray[np.float32]
    embedding: NDArray[np.float32]


def own_photos() -> Sequence[OwnPhoto]:
    """Those of this session, the one that was given last at the end."""
    return tuple(st.session_state.get(_PHOTOS, {}).values())


def own_photo(sha256: str | None) -> OwnPhoto | None:
    """The one with this digest, if it is kept."""
    return st.session_state.get(_PHOTOS, {}).get(sha256)


def given() -> OwnPhoto | None:
    """The own photo that *Identify* is about, unless its address names another."""
    return own_photo(st.session_state.get(_GIVEN))


def given_together() -> Sequence[OwnPhoto]:
    """The photos that were given at once, if there were several."""
    return [own for sha256 in st.session_state.get(_TOGETHER, ()) if (own := own_photo(sha256))]


def take(name: str, content: bytes) -> OwnPhoto:
    """Keep a photo that the visitor gave. Raises PhotoError where the bytes are none."""
    photo = session.photo(content)
    small = as_jpeg(photo, SMALL_SIDE, 85)
    return keep(OwnPhoto(name, photo.sha256, photo.format, photo.original_size, as_jpeg(photo, None, QUALITY), small))


def keep(own: OwnPhoto) -> OwnPhoto:
    """Put a photo behind the others, and let those go that are too many."""
    kept: dict[str, OwnPhoto] = st.session_state.setdefault(_PHOTOS, {})
    kept.pop(own.sha256, None)
    kept[own.sha256] = own
    for oldest in list(kept)[: max(0, len(kept) - MOST)]:
        del kept[oldest]
    return own


def give(photos: Sequence[OwnPhoto]) -> None:
    """Make *Identify* be about photos that came together, and begin with the first; about none where there is none."""
    st.session_state[_GIVEN] = photos[0].sha256 if photos else None
    st.session_state[_TOGETHER] = tuple(dict.fromkeys(own.sha256 for own in photos))


def look_at(sha256: str) -> None:
    """Make *Identify* be about another own photo; those that came together stay so."""
    st.session_state[_GIVEN] = sha256


def forget(sha256: str) -> None:
    """Keep a photo no longer, and make *Identify* be about none."""
    st.session_state.get(_PHOTOS, {}).pop(sha256, None)
    give([])


def forget_own_photos() -> None:
    """Keep none any longer."""
    for key in (_PHOTOS, _GIVEN, _TOGETHER):
        st.session_state.pop(key, None)


def seen(own: OwnPhoto, bundle: Bundle, numeric_format: str) -> Seen:
    """What a model makes of an own photo, computed once. Raises BundleError.

    Args:
        own: the photo.
        bundle: the model.
        numeric_format: of the model, such as `int8`.
    """

    def look() -> Seen:
        inference = session.infer(own.open(), bundle, numeric_format)
        forward = inference.forward
        return Seen(session.answer(inference).prediction, forward.logits[0], forward.embedding[0])

    return session.remember(("own photo", own.sha256, models.model_digest(bundle, numeric_format)), look)


def drop_uploads(files: Sequence[UploadedFile]) -> None:
    """Let the server forget files that were taken: by itself it keeps them as long as the session lasts."""
    context = get_script_run_ctx()
    if context is None:
        return
    for file in files:
        # Only the manager of files in memory can, which is the one that a server has.
        if hasattr(context.uploaded_file_mgr, "remove_file"):
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def as_jpeg(photo: Photo, side: int | None, quality: int) -> bytes:
    """A photo as a JPEG without chroma subsampling.

    Args:
        photo: the photo.
        side: the most pixels of its longer side; None for its own.
        quality: of the JPEG, 1…95.
    """
    from PIL import Image

    image = Image.fromarray(photo.pixels)
    if side is not None:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()
