"""Where the photo comes from: files, the camera, an example, or one that the page's address names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.elements.words import plain
from app.identify.crop_choice import forget_crop
from app.identify.examples import PREFIX, example_at
from app.resources import data, own_photos, session
from app.resources.own_photos import MOST, OwnPhoto, drop_uploads, forget_own_photos, take
from flowers_core.data.photo_ref import PhotoRef, shortened
from flowers_core.data.photos import Photo, PhotoError
from flowers_core.errors import FlowersError

ADDRESS = "photo"
_FOLLOWED, _UPLOADS, _REFUSED = "followed-photo", "uploads-taken", "refused-photos"


@dataclass(frozen=True, eq=False)
class Chosen:
    """A photo that was chosen.

    Attributes:
        read: decodes it; it may raise PhotoError.
        name: of the file.
        photo: its address, where it has one of its own.
        record: what is known of it, as text; "" for nothing.
        own: the visitor's own photo, if it is one.
    """

    read: Callable[[], Photo]
    name: str
    photo: PhotoRef | None = None
    record: str = ""
    own: OwnPhoto | None = None


class NotThereError(FlowersError):
    """The page's address names a photo that cannot be had."""


def choose_photo() -> tuple[Chosen | None, DeltaGenerator]:
    """Draw the ways to give a photo: the one that is chosen, or None, and a place beside them for other choices.

    The address comes first. Without a photo in it, the one that was given last counts: so the browser's way back from
    the example leads to that photo.
    """
    warning = st.empty()
    # A new uploader each time files were taken: what it held is dropped, and it is ready for the next. It takes every
    # file, for a camera's may have no ending; what a file really is, is for `read_photo` to say.
    turn = st.session_state.get(_UPLOADS, 0)
    key = f"upload-{turn}" if turn else "upload"
    st.file_uploader(
        "Photos of a flower",
        accept_multiple_files=True,
        key=key,
        on_change=_take_files,
        args=(key,),
        label_visibility="collapsed",
    )
    limit = st.get_option("server.maxUploadSize")
    st.caption(f"JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF or BMP, up to {limit} MB. Several at once are welcome.")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Use the example photo", icon=":material/image:", on_click=take_example, key="use-example")
        camera = st.toggle("Camera", key="camera-on")
        if (at_hand := own_photos.given()) is not None and ADDRESS not in st.query_params:
            st.button(
                "Take it away",
                icon=":material/close:",
                key="take-away",
                on_click=own_photos.forget,
                args=(at_hand.sha256,),
                help="Drops the photo below; nothing of it is kept.",
            )
        st.space("stretch")
        beside = st.container(width="content")
    if camera:
        st.camera_input(
            "Take a photo", key="camera", on_change=_take_files, args=("camera",), resolution="1080p", width=480
        )
    wanted = st.query_params.get(ADDRESS)
    if not wanted:
        for sentence in st.session_state.get(_REFUSED, ()):
            st.error(plain(sentence), icon=":material/broken_image:")
        own = own_photos.given()
        return (None if own is None else Chosen(own.open, own.name, own=own)), beside
    if wanted != st.session_state.get(_FOLLOWED):
        # A link from this page to itself leaves the old photo in the browser's address bar.
        st.query_params[ADDRESS] = st.session_state[_FOLLOWED] = wanted
    try:
        return _fetch(wanted), beside
    except FlowersError as error:
        warning.warning(plain(str(error)), icon=":material/image_not_supported:")
        return None, beside


def given_together(chosen: Chosen) -> Sequence[OwnPhoto]:
    """The photos that were given at once, where the one at hand is among them; else none."""
    together = own_photos.given_together()
    return together if len(together) > 1 and chosen.own in together else ()


def open_own(sha256: str) -> None:
    """Go to one of the own photos. Only in callbacks."""
    own_photos.look_at(sha256)
    _look_at_own()


def forget_all() -> None:
    """Drop the own photos. Only in callbacks."""
    forget_own_photos()
    st.session_state.pop(_REFUSED, None)


def take_example(address: str = PREFIX) -> None:
    """Go to an example photo, by its address."""
    st.query_params[ADDRESS] = address
    forget_crop()


def _take_files(key: str) -> None:
    value = st.session_state.get(key)
    files = value if isinstance(value, list) else [value] if value is not None else []
    kept, refused = [], []
    for file in files[:MOST]:
        try:
            kept.append(take(file.name, file.getvalue()))
        except PhotoError as error:
            refused.append(f"{file.name}: {error}" if len(files) > 1 else str(error))
    if len(files) > MOST:
        refused.append(f"Of {len(files)} photos the first {MOST} were taken. The page Many photos takes them all.")
    own_photos.give(kept)
    st.session_state[_REFUSED] = refused
    if isinstance(value, list):
        st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1
        drop_uploads(files)
    if files:
        _look_at_own()


def _look_at_own() -> None:
    st.query_params.pop(ADDRESS, None)
    forget_crop()


def _fetch(wanted: str) -> Chosen:
    example = example_at(wanted)
    if example is not None:
        name = "the example photo" if wanted == PREFIX else f"example photo “{example.title.lower()}”"
        content = example.path.read_bytes()
        return Chosen(lambda: session.photo(content), name, record=f"by {example.author}, {example.licence}")
    photo = PhotoRef.from_address(wanted)
    record = _record_of(photo)
    path = data.photo_file(photo)
    try:
        if path is None:
            raise NotThereError(f"Photo {photo} is not on this machine any more.")
        content = path.read_bytes()
    except OSError as error:
        raise NotThereError(f"Photo {photo} could not be read: {error.strerror}.") from error
    return Chosen(lambda: session.photo(content), path.name, photo, record)


def _record_of(photo: PhotoRef) -> str:
    """What is known of a photo beforehand. Raises NotThereError for one that is not known."""
    if photo.source == "custom":
        if photo.collection not in {found.name for found in data.custom_test_sets()}:
            raise NotThereError(f"There is no test set “{shortened(photo.collection)}” on this machine.")
        return f"photo of your test set {photo.collection}"
    if photo.source == "gallery":
        return "a photo of your gallery"
    if photo.source == "user":
        return "one of your own photos"
    flowers = data.data_set().flowers
    if flowers is None:
        raise NotThereError(f"Photo {photo} of the data set cannot be shown: the data set is not on this machine.")
    if not data.photos_here(photo.photo_set):
        raise NotThereError(
            f"Photo {photo} cannot be shown: it is of another data set than the one here, which FLOWERS_DATA_DIR names."
        )
    if photo.id not in flowers.ids:
        raise NotThereError(f"The data set has no photo “{photo.id}”: its photos are numbered 1 to {max(flowers.ids)}.")
    name = flowers.names[flowers.label_of(photo.id) - 1]
    return f"{flowers.split_of(photo.id)} photo labelled {name}"
