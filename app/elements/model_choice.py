"""Which model answers: the bundle and its precision, kept in the page's address."""

from collections.abc import Callable, Sequence

import streamlit as st

from app import resources
from flowers_core.inference.bundle import Bundle

NO_MODEL = (
    "There is no model here. Fetch the project’s `models` folder again, or make one with `python -m scripts.train`."
)


def choose_model(
    precisions_of: Callable[[Bundle], Sequence[str]] = lambda bundle: bundle.precisions,
) -> tuple[Bundle, str]:
    """Two small choices; stops the page with a sentence where there is nothing to choose.

    precisions_of: which precisions of a bundle this page can use; those that can be run, unless said otherwise.
    """
    shelf = resources.shelf()
    for problem in shelf.problems:
        st.error(problem, icon=":material/error:")
    if not shelf.bundles:
        st.error(NO_MODEL, icon=":material/error:")
        st.stop()
    by_name = {bundle.name: bundle for bundle in shelf.bundles}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox("Model", list(by_name), key="bundle", bind="query-params", width=230)
        bundle = by_name[name]
        precisions = list(precisions_of(bundle))
        if not precisions:
            st.error(
                f"The model {bundle.name} is not finished: `python -m scripts.quantize {bundle.name}` and "
                f"`python -m scripts.evaluate {bundle.name}` make what this page needs.",
                icon=":material/error:",
            )
            st.stop()
        preferred = resources.preferred(precisions)
        if st.session_state.get("precision") not in (None, *precisions):
            st.session_state["precision"] = preferred
        precision = st.segmented_control(
            "Precision", precisions, default=preferred, required=True, key="precision", bind="query-params"
        )
    return bundle, precision or preferred
