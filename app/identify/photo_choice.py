"""Where the photo comes from: a file, the camera, the example, or one that the page's address names."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.elements.words import plain
from app.identify.crop_choice import forget_crop
from app.identify.examples import PREFIX, example_at
from app.resources import data
from flowers_core.data.photo_formats import ACCEPTED_ENDINGS
from flowers_core.data.photo_ref import PhotoRef, shortened
from flowers_core.errors import FlowersError

# Browsers filter by these; what a file really is, is for `read_photo` to say. Endings that some systems know no type of
# are named besides.
TYPES = ["image/*", *ACCEPTED_ENDINGS]
ADDRESS = "photo"
_GIVEN, _FOLLOWED = "given-photo", "followed-photo"


@dataclass(frozen=True, eq=False)
class Chosen:
    """A photo that was chosen.

    Attributes:
        content: the bytes of its file.
        name: of the file.
        photo: its address, where it has one of its own.
        record: what is known of it, as text; "" for nothing.
    """

    content: bytes
    name: str
    photo: PhotoRef | None = None
    record: str = ""


class NotThereError(FlowersError):
    """The page's address names a photo that cannot be had."""


def choose_photo() -> tuple[Chosen | None, DeltaGenerator]:
    """Draw the ways to give a photo: the one that is chosen, or None, and a place beside them for other choices.

    The address comes first. Without a photo in it, the file that was given last counts: so the browser's way back from
    the example leads to that file, which the uploader still holds.
    """
    warning = st.empty()
    st.file_uploader(
        "Photo of a flower",
        type=TYPES,
        key="upload",
        on_change=_take_file,
        args=("upload",),
        label_visibility="collapsed",
    )
    limit = st.get_option("server.maxUploadSize")
    st.caption(f"JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF or BMP, up to {limit} MB.")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Use the example photo", icon=":material/image:", on_click=take_example, key="use-example")
        camera = st.toggle("Camera", key="camera-on")
        st.space("stretch")
        beside = st.container(width="content")
    if camera:
        st.camera_input(
            "Take a photo", key="camera", on_change=_take_file, args=("camera",), resolution="1080p", width=480
        )
    wanted = st.query_params.get(ADDRESS)
    if not wanted:
        return st.session_state.get(_GIVEN), beside
    if wanted != st.session_state.get(_FOLLOWED):
        # A link from this page to itself leaves the old photo in the browser's address bar.
        st.query_params[ADDRESS] = st.session_state[_FOLLOWED] = wanted
    try:
        return _fetch(wanted), beside
    except FlowersError as error:
        warning.warning(plain(str(error)), icon=":material/image_not_supported:")
        return None, beside


def _take_file(key: str) -> None:
    file = st.session_state.get(key)
    st.session_state[_GIVEN] = Chosen(file.getvalue(), file.name) if file is not None else None
    if file is not None:
        st.query_params.pop(ADDRESS, None)
        forget_crop()


def take_example(address: str = PREFIX) -> None:
    """Go to an example photo, by its address."""
    st.query_params[ADDRESS] = address
    forget_crop()


def _fetch(wanted: str) -> Chosen:
    example = example_at(wanted)
    if example is not None:
        name = "the example photo" if wanted == PREFIX else f"example photo “{example.title.lower()}”"
        return Chosen(example.path.read_bytes(), name, record=f"by {example.author}, {example.licence}")
    photo = PhotoRef.from_address(wanted)
    record = _record_of(photo)
    path = data.photo_file(photo)
    try:
        if path is None:
            raise NotThereError(f"Photo {photo} is not on this machine any more.")
        return Chosen(path.read_bytes(), path.name, photo, record)
    except OSError as error:
        raise NotThereError(f"Photo {photo} could not be read: {error.strerror}.") from error


def _record_of(photo: PhotoRef) -> str:
    """What is known of a photo beforehand. Raises NotThereError for one that is not known."""
    if photo.source == "custom":
        if photo.collection not in {found.name for found in data.custom_test_sets()}:
            raise NotThereError(f"There is no test set “{shortened(photo.collection)}” on this machine.")
        return f"photo of your test set {photo.collection}"
    if photo.source == "user":
        return "one of your own photos"
    flowers = data.data_set().flowers
    if flowers is None:
        raise NotThereError(f"Photo {photo} of the data set cannot be shown: the data set is not on this machine.")
    if photo.id not in flowers.ids:
        raise NotThereError(f"The data set has no photo “{photo}”: its photos are numbered 1 to {max(flowers.ids)}.")
    name = flowers.names[flowers.label_of(photo.id) - 1]
    return f"{flowers.split_of(photo.id)} photo labelled {name}"
