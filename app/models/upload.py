"""A packed model from a visitor, where the server's owner allows it."""

import streamlit as st

from app.elements.words import plain
from app.resources import lessons, server_settings
from flowers_core.errors import FlowersError
from flowers_core.inference.archive import describe_origin

_SAID, _ROUND = "packed-said", "packed-round"


def draw_upload() -> None:
    """A place for the file; nothing where the owner does not allow it."""
    if not server_settings.models_may_be_kept():
        return
    with st.expander("Add a model", icon=":material/upload:"):
        st.markdown(
            "A packed model is one file: *Identify* gives it of a model that you taught, `flowers pack` of any other. "
            "What is in it runs on this server, so add only what comes from people you trust."
        )
        key = f"packed-{st.session_state.get(_ROUND, 0)}"
        st.file_uploader("Packed model", type=["zip"], key=key, on_change=_add, args=(key,))
        if said := st.session_state.pop(_SAID, None):
            st.info(said, icon=":material/inventory_2:")


def _add(key: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    try:
        made = lessons.keep_on_server(file.getvalue())
    except FlowersError as error:
        st.session_state[_SAID] = plain(str(error))
        return
    st.session_state["bundle"] = made.name
    st.session_state[_SAID] = f"{plain(made.name)} is here for everybody. {describe_origin(made.manifest)}"
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
