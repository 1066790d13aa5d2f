"""*How far to trust it*: tests of the map, where they are shown by its number, and what other methods say."""

import streamlit as st

from app.elements.sibling_note import draw_tested
from app.identify.explaining import explain, known_explanations, subject_of
from app.identify.faithfulness import draw_trust
from app.identify.side_by_side import draw_side_by_side
from app.identify.superpixel_choice import chosen_superpixels
from app.identify.target_choice import Asked
from app.resources import models, records, session
from flowers_core.explain.records.methods import default_method
from flowers_core.reports.default_method import default_sentence

OPACITY = 0.7


def draw_trust_in_map(asked: Asked) -> None:
    """How the method fares on many photos; the test of this map on this photo; and the other maps beside it."""
    inference = asked.identified.inference
    subject = subject_of(inference, chosen_superpixels())
    explanation = explain(inference, subject, asked.method, asked.target, inference.bundle.taxonomy)
    if explanation is None:
        return
    record = records.evaluated_methods(models.tested(inference.bundle))
    if record is not None and asked.method.name == default_method(record):
        st.markdown(f"{default_sentence(record)} *Models* has the table.")
        draw_tested(inference.bundle)
    known = known_explanations(inference, subject, asked.target)
    draw_trust(asked.identified, subject, explanation, known)
    draw_side_by_side(session.shown_pixels(inference.photo), known, OPACITY, 0.0)
