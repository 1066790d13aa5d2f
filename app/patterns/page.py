"""*Patterns*: what a model tells apart in photos, by flower and by pattern."""

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from app.elements.choices import by_name, choose_flower, choose_one
from app.elements.concept_cards import ConceptCard, draw_concepts, typical_crops, typical_flowers
from app.elements.dataset_offer import offer_download
from app.elements.model_choice import choose_bundle
from app.elements.model_picture import HOW, draw_class_pictures, picture_html
from app.elements.words import capital, percent
from app.resources import models
from app.resources.data import photos_here
from app.resources.model_pictures import concept_picture
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.concepts.concepts import EXAMPLES, Concepts
from flowers_core.inference.bundle import Bundle

# Patterns of a flower that are shown, and flowers of a pattern.
OF_FLOWER, OF_PATTERN = 8, 10
BY = {"flower": "By flower", "pattern": "By pattern"}


def draw_flower(bundle: Bundle, concepts: Concepts, taxonomy: Taxonomy) -> None:
    """The patterns that make up one flower to the model."""
    label = choose_flower("Flower", by_name(taxonomy), taxonomy, "of", width=300) or 1
    worths = models.concept_worths(bundle, concepts)[label - 1]
    shown = np.argsort(-worths, kind="stable")[:OF_FLOWER].tolist()
    whole = float(worths[worths > 0].sum())
    st.markdown(
        f"What the model recognizes **{taxonomy[label].name}** by: the mean over its training photos, as shares of "
        "all that speaks for it."
    )
    cards = [
        ConceptCard(
            concept,
            f'<span class="name">{percent(float(worths[concept]) / whole)} · pattern {concept + 1}</span><br>'
            f'<span class="quiet">Typical of {escape(typical_flowers(bundle, concepts, concept, taxonomy))}</span>',
        )
        for concept in shown
        if worths[concept] > 0
    ]
    draw_class_pictures(bundle, [label], taxonomy, how=concept_picture(bundle, shown[0]) is None)
    draw_concepts("of-flower", cards, bundle, concepts)


def draw_pattern(bundle: Bundle, concepts: Concepts, taxonomy: Taxonomy) -> None:
    """The flowers that one pattern speaks for, and what it looks like."""
    number = st.number_input("Pattern", 1, len(concepts), 1, key="number", bind="query-params", width=160)
    concept = int(number) - 1
    crops = typical_crops(bundle, concepts, concept, EXAMPLES)
    if crops is not None:
        st.image(crops, alt=f"What pattern {number} looks like in training photos", output_format="JPEG")
    picture = concept_picture(bundle, concept)
    if picture is not None:
        figure = picture_html(picture, f"The model’s own picture of pattern {number}, not a photo")
        st.html(f'<div class="own-pictures"><figure>{figure}</figure></div><p class="quiet-note">{HOW}</p>')
    worths = models.concept_worths(bundle, concepts)[:, concept]
    first = [int(index) for index in np.argsort(-worths, kind="stable")[:OF_PATTERN] if worths[index] > 0]
    if not first:
        st.markdown("It speaks for no flower; it tells the model what a photo is not.")
        return
    st.markdown("What it adds to the score of these flowers, in logits, on average over their training photos:")
    table = pd.DataFrame(
        {"flower": [capital(taxonomy[index + 1].name) for index in first], "adds": [worths[index] for index in first]}
    )
    most = float(worths[first[0]])
    adds = st.column_config.ProgressColumn("adds", format="%.1f", min_value=0.0, max_value=most)
    st.dataframe(table, column_config={"adds": adds}, hide_index=True, width=420)


st.title("What the model tells apart")
st.html(
    '<p class="lede">To the model a photo is made of patterns: a texture, an edge, a kind of centre. It found them '
    "itself, in training photos, and every name is a sum over them.</p>"
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    asked = choose_one("Look", BY, "by")
    with st.popover("Model", icon=":material/tune:"):
        chosen = choose_bundle()
found = models.concepts(chosen)
if found is None:
    st.info(f"The patterns of {chosen.name} were not looked for yet; `flowers fit_concepts {chosen.name}` does it.")
    st.stop()
if asked == "flower":
    draw_flower(chosen, found, chosen.taxonomy)
else:
    draw_pattern(chosen, found, chosen.taxonomy)
if not photos_here(chosen.photo_set):
    offer_download(
        "patterns",
        "The training photos that show each pattern best are not on this machine.",
        chosen.photo_set,
    )
