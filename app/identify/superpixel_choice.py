"""The superpixels that LIME works on: a choice, and a look at them before it runs."""

import streamlit as st

from app.elements.photo_grid import draw_photo
from app.resources.session import Inference, remember
from flowers_core.explain.lime.superpixels import Segmentation, segment
from flowers_core.explain.overlay import outline

_TITLES = {"slic": "SLIC", "felzenszwalb": "Felzenszwalb", "quickshift": "Quickshift"}
_CHOSEN = "superpixels"
_TALLEST = 320


def choose_superpixels() -> Segmentation:
    """Two controls: the segmentation, and about how many superpixels."""
    before = chosen_superpixels()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        algorithm = st.selectbox(
            "Pieces by",
            list(_TITLES),
            index=list(_TITLES).index(before.algorithm),
            format_func=lambda name: _TITLES[name],
            key="segmentation",
            help="**SLIC** cuts into pieces of nearly one size, **Felzenszwalb** along strong edges, so that sizes "
            "differ; **Quickshift** is what the lime package takes.",
            width=180,
        )
        segments = st.slider(
            "About how many",
            8,
            80,
            before.segments,
            2,
            key="segments",
            disabled=algorithm == "quickshift",
            help="Fewer pieces are told apart sooner and more surely; more show finer detail. Quickshift finds its own "
            "number.",
            width=220,
        )
    segmentation = Segmentation(algorithm, segments)
    st.session_state[_CHOSEN] = segmentation
    return segmentation


def chosen_superpixels() -> Segmentation:
    """What was chosen last in this session, also where the controls are not on the page."""
    return st.session_state.get(_CHOSEN, Segmentation())


def draw_superpixels(inference: Inference) -> None:
    """What the model sees, cut into the superpixels that were chosen."""
    segmentation = chosen_superpixels()
    pixels = inference.seen.pixels
    key = ("superpixels", inference.photo.sha256, inference.model_digest, str(segmentation))
    superpixels = remember(key, lambda: segment(pixels, segmentation))
    count = int(superpixels.max()) + 1
    draw_photo(outline(pixels, superpixels), f"{count} pieces", f"The photo cut into {count} pieces", _TALLEST)
