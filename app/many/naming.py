"""Naming photos one after the other, with progress, the time left, and a way to stop."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.elements.turn import turn
from app.many.rows import UPLOADS, Row, add_row, rows
from app.resources import session
from app.resources.own_photos import SMALL_SIDE, OwnPhoto, as_jpeg, drop_uploads
from flowers_core.data.photo_files import is_hidden
from flowers_core.data.photos import PhotoError, read_photo
from flowers_core.inference.bundle import Bundle

MOST = 300
# The copy that is kept, some 0.1 MB: enough to look at closely, and 30 MB for a session that gives as many as it may.
COPY_SIDE, COPY_QUALITY = 800, 88
# Photos in one turn: then others who wait come first.
_AT_A_TIME = 8


def name_uploads(files: Sequence[UploadedFile], bundle: Bundle, numeric_format: str) -> None:
    """Name the files that are not yet in the table, and let the server forget each.

    Args:
        files: what the uploader holds. One that was named is gone from it the next time.
        bundle: the model.
        numeric_format: of the model, such as `int8`.

    Raises:
        BundleError: the model cannot answer.
    """
    named = {row.upload for row in rows()}
    photos = [file for file in files if not any(is_hidden(part) for part in file.name.split("/"))]
    drop_uploads([file for file in files if file not in photos])
    photos = [file for file in photos if file.file_id not in named]
    room = MOST - len(rows())
    if len(photos) > room:
        st.warning(f"{len(photos) - room} photos are left out: this table takes {MOST}.", icon=":material/filter_list:")
        drop_uploads(photos[room:])
        photos = photos[:room]
    if not photos:
        return
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, "Getting ready …")
        # A click on anything ends the run, and the next one would go on: this drops what is left.
        st.button("Stop", icon=":material/stop:", key="many-stop", on_click=_stop, args=(photos,))
    started = time.monotonic()
    for first in range(0, len(photos), _AT_A_TIME):
        with turn(bar, "Many photos"):
            for done, file in enumerate(photos[first : first + _AT_A_TIME], start=first):
                add_row(_named(file, bundle, numeric_format))
                drop_uploads([file])
                bar.progress(
                    (done + 1) / len(photos), progress_words(done + 1, len(photos), time.monotonic() - started)
                )
    place.empty()


def progress_words(done: int, total: int, seconds: float) -> str:
    """How far it is and how long the rest takes.

    Args:
        done: photos that are named, at least 1.
        total: of the photos.
        seconds: since the beginning.
    """
    left = seconds / done * (total - done)
    rest = "nearly done" if left < 1 else f"about {left:.0f} s left" if left < 90 else f"about {left / 60:.0f} min left"
    return f"{done} of {total} photos, {rest}"


def _named(file: UploadedFile, bundle: Bundle, numeric_format: str) -> Row:
    try:
        photo = read_photo(file.getvalue())
    except PhotoError as error:
        return Row(file.name, None, None, str(error), bundle.name, bundle.taxonomy, file.file_id)
    prediction = session.answer(session.infer(photo, bundle, numeric_format)).prediction
    copy, small = as_jpeg(photo, COPY_SIDE, COPY_QUALITY), as_jpeg(photo, SMALL_SIDE // 2, 80)
    own = OwnPhoto(file.name.rsplit("/", 1)[-1], photo.sha256, photo.format, photo.original_size, copy, small)
    return Row(file.name, own, prediction, "", bundle.name, bundle.taxonomy, file.file_id)


def _stop(photos: Sequence[UploadedFile]) -> None:
    drop_uploads(photos)
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1
