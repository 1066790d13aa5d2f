"""*Where*: the parts of the photo that speak for a flower, as a map over it."""

import streamlit as st

from app.elements.heatmap import draw_heatmap, reading
from app.identify.downloads import offer_files
from app.identify.explaining import explain, subject_of
from app.identify.superpixel_choice import choose_superpixels, chosen_superpixels
from app.identify.target_choice import Asked
from app.resources import session


def draw_where(asked: Asked) -> None:
    """The map, how to read it, how strongly it is drawn, and its files."""
    inference = asked.identified.inference
    taxonomy = inference.bundle.taxonomy
    if asked.method.name == "lime":
        choose_superpixels()
    subject = subject_of(inference, chosen_superpixels())
    explanation = explain(inference, subject, asked.method, asked.target, taxonomy)
    if explanation is None:
        return
    map_place = st.container()
    st.markdown(reading(explanation, taxonomy))
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        opacity = _choose_share("Opacity of the map", 70, "opacity")
        threshold = _choose_share(
            "Hide the weakest", 0, "threshold", "Leaves out what is weaker than this share of the strongest spot."
        )
        outlines = explanation.superpixels is not None and st.toggle("Outline the pieces", value=True, key="outlines")
        offer_files(inference.photo, explanation, opacity, threshold)
    with map_place:
        draw_heatmap(session.shown_pixels(inference.photo), explanation, taxonomy, opacity, threshold, outlines)


def _choose_share(label: str, default: int, key: str, help_text: str | None = None) -> float:
    """A slider in per cent; returns a fraction in [0, 1]."""
    return st.slider(label, 0, 100, default, 5, format="%d %%", key=key, width=160, help=help_text) / 100
