"""Where the photo comes from: a file, the camera, the example, or a number of the data set in the page's address."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import resources
from app.identify.crop_choice import forget_part

# Browsers filter by these; what a file really is, is for `read_photo` to say. Endings that some systems know no type of
# are named besides.
TYPES = ["image/*", ".heic", ".heif", ".avif", ".webp", ".tif"]
EXAMPLE = "example"


@dataclass(frozen=True, eq=False)
class Chosen:
    """The bytes of a photo; photo_id when it is one of the data set's, and then what is known of it."""

    content: bytes
    name: str
    photo_id: int | None = None
    record: str = ""


class NotThereError(LookupError):
    """The page's address asks for a photo that cannot be had; the message is a sentence for the person."""


def choose_photo() -> tuple[Chosen | None, DeltaGenerator]:
    """Draw the ways to give a photo: the one chosen last, or None, and a place beside them for other choices."""
    _follow_address()
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
        st.button("Use the example photo", icon=":material/image:", on_click=_take_example, key="use-example")
        camera = st.toggle("Camera", key="camera-on")
        st.space("stretch")
        beside = st.container(width="content")
    if camera:
        st.camera_input(
            "Take a photo", key="camera", on_change=_take_file, args=("camera",), resolution="1080p", width=480
        )
    return st.session_state.get("chosen"), beside


def _take_file(key: str) -> None:
    file = st.session_state.get(key)
    st.query_params.pop("photo", None)
    forget_part()
    st.session_state["followed"] = None
    st.session_state["chosen"] = Chosen(file.getvalue(), file.name) if file is not None else None


def _take_example() -> None:
    st.query_params["photo"] = EXAMPLE
    forget_part()
    # The example counts even when it was shown before and a file came in between.
    st.session_state["followed"] = None


def _follow_address() -> None:
    """An address with ?photo=… shows that photo, so that it can be sent to somebody else who has the data set."""
    wanted = st.query_params.get("photo")
    if not wanted or wanted == st.session_state.get("followed"):
        return
    try:
        st.session_state["chosen"] = _fetch(wanted)
        st.session_state["followed"] = wanted
        # A link from this page to itself leaves the old number in the browser's address bar.
        st.query_params["photo"] = wanted
    except NotThereError as error:
        st.session_state["chosen"] = None
        st.warning(str(error), icon=":material/image_not_supported:")


def _fetch(wanted: str) -> Chosen:
    if wanted == EXAMPLE:
        return Chosen(resources.example_photo().read_bytes(), "the example photo")
    flowers = resources.data().flowers
    if flowers is None:
        raise NotThereError(f"Photo {wanted} of the data set cannot be shown: the data set is not on this machine.")
    if not wanted.isdecimal() or int(wanted) not in flowers.ids:
        raise NotThereError(f"The data set has no photo “{wanted}”: its photos are numbered 1 to {max(flowers.ids)}.")
    path = flowers.path(int(wanted))
    try:
        record = f"{flowers.split_of(int(wanted))} photo labelled {flowers.names[flowers.label_of(int(wanted)) - 1]}"
        return Chosen(path.read_bytes(), path.name, int(wanted), record)
    except OSError as error:
        raise NotThereError(f"Photo {wanted} of the data set could not be read: {error.strerror}.") from error
