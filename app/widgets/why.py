"""The part of *Identify* that shows why: which class to explain, by which method, and the map itself."""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import resources
from app.resources import Look
from app.widgets.heatmap import draw_heatmap, reading
from flowers_core.explain import cam
from flowers_core.explain.base import Explanation
from flowers_core.prediction import Prediction
from flowers_core.taxonomy import Taxonomy

EVIDENCE, LIME = "Evidence", "LIME"
METHOD_HELP = (
    "**Evidence** splits the model's own arithmetic exactly over the photo; it is there at once.  \n"
    "**LIME** hides pieces of the photo at random and watches the probability; it takes some seconds."
)


@st.fragment
def draw_why(look: Look, prediction: Prediction) -> None:
    """Choices, map and how to read it. Only this part runs again when one of its controls moves."""
    taxonomy = resources.taxonomy()
    _begin_with_the_answer(look, prediction)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        label = _choose_class(prediction, taxonomy)
        rival_place = st.container(width=250)
        method = st.segmented_control(
            "Method",
            [EVIDENCE, LIME],
            default=EVIDENCE,
            required=True,
            key="method",
            bind="query-params",
            help=METHOD_HELP,
        )
        opacity = st.slider("Opacity of the map", 0, 100, 70, 5, format="%d %%", key="opacity", width=220)
    with rival_place:
        rival = _choose_rival(prediction, taxonomy, label, disabled=method == LIME)
    explanation = _lime(look, label) if method == LIME else _evidence(look, label, rival)
    if explanation is None:
        return
    outlines = method == LIME and st.toggle("Outline the pieces", value=True, key="outlines")
    draw_heatmap(resources.shown_pixels(look.photo), explanation, taxonomy, opacity / 100, outlines)
    st.markdown(reading(explanation, taxonomy))


def _begin_with_the_answer(look: Look, prediction: Prediction) -> None:
    """For another photo or model the answer is explained, not the class that was chosen for the one before."""
    subject = (look.photo.sha256, look.model_digest)
    before = st.session_state.get("explained")
    if before is not None and before != subject:
        st.session_state["explain"] = prediction.candidates[0].label
        st.session_state["against"] = None
    st.session_state["explained"] = subject


def _choose_class(prediction: Prediction, taxonomy: Taxonomy) -> int:
    first = [candidate.label for candidate in prediction.top(5)]
    rest = sorted(set(range(1, len(taxonomy) + 1)) - set(first), key=lambda label: taxonomy[label].name)
    chosen = st.selectbox(
        "What speaks for",
        first + rest,
        format_func=lambda label: taxonomy[label].name,
        key="explain",
        bind="query-params",
        filter_mode="contains",
        help="The five most probable flowers come first, then all others. Type to search.",
        width=250,
    )
    return chosen or first[0]


def _choose_rival(prediction: Prediction, taxonomy: Taxonomy, label: int, *, disabled: bool) -> int | None:
    rivals = [candidate.label for candidate in prediction.candidates if candidate.label != label]
    return st.selectbox(
        "Rather than",
        rivals,
        index=None,
        format_func=lambda rival: taxonomy[rival].name,
        key="against",
        bind="query-params",
        placeholder="any other flower",
        filter_mode="contains",
        help="Choose a second flower to see what tells the two apart. LIME explains one flower at a time.",
        disabled=disabled,
        width=250,
    )


def _evidence(look: Look, label: int, rival: int | None) -> Explanation:
    features, head = look.forward.features[0], resources.head(look.bundle)
    size = (look.photo.width, look.photo.height)
    if rival is None or rival == label:
        return cam.class_evidence(features, head, label, box=look.seen.box, photo_size=size)
    return cam.class_contrast(features, head, label, rival, box=look.seen.box, photo_size=size)


def _lime(look: Look, label: int) -> Explanation | None:
    """The map when it is known or asked for now; else a button: LIME takes time that nobody should spend unasked."""
    key = ("lime", look.photo.sha256, look.model_digest, str(label))
    found = resources.remembered_map(key)
    if found is not None:
        return found
    place = st.empty()
    with place.container():
        st.markdown(
            "LIME hides pieces of the photo at random and watches what becomes of the probability. "
            "It looks at the photo some hundred times, which takes a few seconds."
        )
        name = resources.taxonomy()[label].name
        if not st.button(f"Run LIME for {name}", icon=":material/play_arrow:", key="run-lime"):
            return None
    explanation = resources.remember_map(key, lambda: _run_lime(look, label, place))
    place.empty()
    return explanation


def _run_lime(look: Look, label: int, place: DeltaGenerator) -> Explanation:
    from flowers_core.explain.lime import explain_lime

    bar = place.progress(0.0, "LIME: cutting the photo into pieces …")
    started = time.monotonic()

    def show_progress(done: int, total: int) -> None:
        if done:
            left = (time.monotonic() - started) / done * (total - done)
            # It may end sooner: once the strongest pieces are settled.
            bar.progress(done / total, f"LIME: {done} of at most {total} looks at the photo, {left:.0f} s left at most")

    return explain_lime(
        resources.runtime(look.bundle, look.precision).logits,
        look.seen.pixels,
        label,
        box=look.seen.box,
        photo_size=(look.photo.width, look.photo.height),
        temperature=resources.temperature(look.bundle),
        progress=show_progress,
    )
