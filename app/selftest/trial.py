"""One photo of *Test yourself*: what the model said of it, and what helps to judge that."""

from html import escape

import streamlit as st

from app.elements.photo_grid import Card, draw_card, draw_cards
from app.elements.small_map import small_map
from app.elements.words import capital
from app.resources import galleries
from flowers_core.data.photo_ref import PhotoRef
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError
from flowers_core.evaluation.self_test import Trial
from flowers_core.inference.bundle import Bundle

# Training photos of the named flower, so that somebody who does not know it can judge.
KNOWN = 2


def draw_trial(trial: Trial, bundle: Bundle, numeric_format: str, taxonomy: Taxonomy) -> None:
    """The photo, the map where it is explained, and training photos of the flower that the model named.

    Args:
        trial: the photo, and what the model called it.
        bundle: the model.
        numeric_format: whose maps are shown.
        taxonomy: the classes' names.
    """
    name = taxonomy[trial.predicted].name
    photo = bundle.photo_set.ref(trial.photo_id)
    painted = small_map(photo, bundle, numeric_format, trial.predicted) if trial.explained else None
    cards = []
    if painted is not None:
        map_caption = f'<span class="name">Why</span><br><span class="quiet">what speaks for {escape(name)}</span>'
        cards.append(Card(photo, map_caption, f"What speaks for {name}", painted=painted, link=False))
    title = capital(name)
    known = _known(bundle, trial)
    # Chosen for this photo, they are a part of the explanation.
    which = "a training photo like this one" if trial.explained else "a training photo"
    cards += [_card(near, title, which, f"{title}, {which}") for near in known]
    large, beside = st.columns((2, 3), gap="medium")
    with large, st.container(key="photos-judged"):
        draw_card(_card(photo, "The photo", "", f"Test photo {trial.photo_id}"))
    with beside:
        draw_cards("trial", cards)


def _known(bundle: Bundle, trial: Trial) -> list[PhotoRef]:
    """Training photos of the named flower: the nearest where it is explained, else the first."""
    try:
        gallery = galleries.gallery(bundle)
    except FlowersError:
        return []
    if gallery is None or trial.photo_id not in gallery:
        return []
    if trial.explained:
        vector = gallery.vector(trial.photo_id)
        found = gallery.search(vector, KNOWN, splits={"train"}, labels={trial.predicted}, exclude={trial.photo_id})
        return [neighbour.photo for neighbour in found]
    shown = (gallery.labels == trial.predicted) & (gallery.splits == "train")
    return [bundle.photo_set.ref(photo_id) for photo_id in gallery.ids[shown][:KNOWN]]


def _card(photo: PhotoRef, title: str, words: str, alt: str) -> Card:
    caption = f'<span class="name">{escape(title)}</span><br><span class="quiet">{escape(words)}</span>'
    return Card(photo, caption, alt, link=False)
