"""What a model was taught since it was trained: its lessons, and what a visitor may do with a model of their own."""

import streamlit as st

from app.elements.words import listed, plain
from app.resources import lessons, server_settings, session_models
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.records.teaching import TaughtClass

_SAID = "taught-said"


def draw_lessons(bundle: Bundle) -> None:
    """The lessons of a taught model in a sentence; the visitor's own can be taken back, named, and taken along."""
    st.markdown(lessons_sentence(bundle.manifest.taught))
    if said := st.session_state.pop(_SAID, None):
        st.info(said, icon=":material/school:")
    if not session_models.is_mine(bundle):
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.button("Undo the last lesson", icon=":material/undo:", key="lesson-undo", on_click=_undo, args=(bundle,))
        with st.popover("Take it along", icon=":material/download:"):
            _draw_export(bundle)


def lessons_sentence(taught: tuple[TaughtClass, ...]) -> str:
    """What a model has learnt, lesson by lesson. taught: at least one."""
    told = [
        f"{plain(each.name)} from {'one photo' if each.photos == 1 else f'{each.photos} photos'}" for each in taught
    ]
    return f"Since it was trained, this model has learnt {listed(told, 'and')}."


def _draw_export(bundle: Bundle) -> None:
    st.markdown("This model is yours, and goes when you leave. As one file it can be given away and used elsewhere.")
    st.text_input("Call it", bundle.name, key=f"taught-name-{bundle.name}", on_change=_rename, args=(bundle,))
    st.download_button(
        "Download the model",
        lambda: lessons.packed(bundle),
        file_name=f"{bundle.name}.zip",
        mime="application/zip",
        icon=":material/download:",
        key="taught-download",
        on_click="ignore",
        help="`flowers unpack` makes a model of it again.",
    )
    if server_settings.models_may_be_kept():
        st.button(
            "Keep it on this server",
            icon=":material/save:",
            key="taught-keep",
            on_click=_keep_on_server,
            args=(bundle,),
            help="Then everybody who uses this server can choose it.",
        )


def _undo(bundle: Bundle) -> None:
    st.session_state["bundle"] = lessons.take_back(bundle)


def _rename(bundle: Bundle) -> None:
    try:
        st.session_state["bundle"] = lessons.rename(bundle, st.session_state[f"taught-name-{bundle.name}"]).name
    except FlowersError as error:
        st.session_state[_SAID] = plain(str(error))


def _keep_on_server(bundle: Bundle) -> None:
    try:
        made = lessons.keep_on_server(lessons.packed(bundle))
    except FlowersError as error:
        st.session_state[_SAID] = plain(str(error))
        return
    session_models.remove(bundle)
    st.session_state["bundle"] = made.name
    st.session_state[_SAID] = f"{plain(made.name)} is kept on this server."
