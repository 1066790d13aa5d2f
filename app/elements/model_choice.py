"""Which model answers: the bundle and its numeric format, kept in the page's address."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.elements.choices import choose_one
from app.resources import models
from app.resources.formats import served_format
from flowers_core.inference.bundle import Bundle

FORMAT = "precision"
NO_MODEL = "There is no model here. Fetch the project’s `models` folder again, or make one with `flowers train`."


def choose_model() -> tuple[Bundle, str]:
    """The model and one of its formats that can be run; stops the page with a sentence where there is none."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        bundle = choose_bundle()
        return bundle, choose_format(bundle, bundle.precisions, served_format)


def choose_bundle() -> Bundle:
    """The model; stops the page with a sentence where there is none to choose."""
    found = models.model_list()
    for problem in found.problems:
        st.error(problem, icon=":material/error:")
    if not found.bundles:
        st.error(NO_MODEL, icon=":material/error:")
        st.stop()
    return choose_among(found.bundles)


def known_classes() -> int:
    """How many classes the model knows that answers unless somebody chooses another; 0 where there is none."""
    found = models.model_list().bundles
    wanted = st.session_state.get("bundle", st.query_params.get("bundle"))
    chosen = [bundle for bundle in found if bundle.name == wanted] or found[:1]
    return len(chosen[0].class_names) if chosen else 0


def choose_among(bundles: Sequence[Bundle]) -> Bundle:
    """One of these models, of which there is at least one."""
    by_name = {bundle.name: bundle for bundle in bundles}
    return by_name[st.selectbox("Model", list(by_name), key="bundle", bind="query-params", width=230)]


def choose_format(bundle: Bundle, formats: Sequence[str], preferred_of: Callable[[Bundle], str] | None = None) -> str:
    """One of a model's numeric formats; stops the page with a sentence where there is none to choose.

    Args:
        bundle: the model.
        formats: those that the page can use.
        preferred_of: which of them it is until somebody chooses another; INT8 where there is one, by default.
    """
    if not formats:
        st.error(
            f"The model {bundle.name} is not finished: `flowers quantize {bundle.name}` and "
            f"`flowers evaluate {bundle.name}` make what this page needs.",
            icon=":material/error:",
        )
        st.stop()
    preferred = preferred_of(bundle) if preferred_of else models.preferred_format(formats)
    if st.session_state.get(FORMAT) not in (None, *formats):
        st.session_state[FORMAT] = preferred
    return choose_one("Precision", {name: name for name in formats}, FORMAT, default=preferred)
