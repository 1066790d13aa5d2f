"""What two flowers that are mixed up have in common to the model, and what tells them apart."""

from html import escape

import numpy as np
import streamlit as st

from app.elements.concept_cards import ConceptCard, draw_concepts
from app.elements.model_picture import draw_class_pictures
from app.elements.words import percent
from app.resources import models
from app.resources.model_pictures import concept_picture
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.concepts.classes import shared
from flowers_core.inference.bundle import Bundle

# Patterns that both have, and those of each alone.
IN_COMMON, OF_ONE = 3, 2


def draw_shared_concepts(bundle: Bundle, true: int, called: int, taxonomy: Taxonomy) -> None:
    """A section that opens: the patterns of both, then those that only one of the two leans on.

    Args:
        bundle: the model.
        true: the flower that the photos show, from 1.
        called: the flower that they were called, from 1.
        taxonomy: the classes' names.
    """
    concepts = models.concepts(bundle)
    if concepts is None or true == called:
        return
    worths = models.concept_worths(bundle, concepts)
    both = shared(worths, true, called)
    part = float(both.sum()) / float(np.maximum(worths[true - 1], 0).sum())
    names = taxonomy[true].name, taxonomy[called].name
    with st.expander("What the two share, and what tells them apart"):
        st.markdown(
            f"{percent(part)} of what speaks for {names[0]} in its training photos speaks as much for {names[1]}."
        )
        cards = [
            ConceptCard(concept, f'<span class="name">Both</span><br>{both[concept]:.1f} logits in common')
            for concept in np.argsort(-both, kind="stable")[:IN_COMMON].tolist()
            if both[concept] > 0
        ]
        for label, other, name in ((true, called, names[0]), (called, true, names[1])):
            ahead = worths[label - 1] - np.maximum(worths[other - 1], 0)
            cards += [
                ConceptCard(concept, f'<span class="name">{escape(name)}</span><br>{ahead[concept]:.1f} logits more')
                for concept in np.argsort(-ahead, kind="stable")[:OF_ONE].tolist()
                if ahead[concept] > 0
            ]
        draw_class_pictures(bundle, (true, called), taxonomy, how=concept_picture(bundle, 0) is None)
        draw_concepts("shared", cards, bundle, concepts)
