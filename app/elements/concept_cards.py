"""A concept on a card: where it lies on the photo at hand, what it looks like elsewhere, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.elements.model_picture import HOW, picture_html
from app.elements.words import listed
from app.resources import models
from app.resources.data import photo_file
from app.resources.model_pictures import concept_picture
from app.resources.thumbnails import CROP_SIDE, place_crop
from flowers_core.data.photos import PhotoError
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.concepts.classes import typical
from flowers_core.explain.concepts.concepts import Concepts
from flowers_core.inference.bundle import Bundle

# Crops on a card, and the grey between them in pixels: it suits a light page and a dark one.
CROPS, _GAP = 3, 4
# Classes that a concept is said to be typical of: at most so many, none with less than this share of the first's.


@dataclass(frozen=True)
class ConceptCard:
    """One concept and what is said of it.

    Attributes:
        concept: its number, from 0.
        caption: HTML.
        painted: the photo at hand with the concept's place, (h, w, 3) uint8 RGB; None where there is no photo.
    """

    concept: int
    caption: str
    painted: NDArray[np.uint8] | None = None


def draw_concepts(key: str, cards: Sequence[ConceptCard], bundle: Bundle, concepts: Concepts) -> None:
    """The cards in as many columns as fit.

    Args:
        key: what the grid is called on the page.
        cards: a concept each.
        bundle: the model.
        concepts: its concepts.
    """
    grid = st.grid(key=f"concepts-{key}", min_column_width=170, gap=("medium", "small"))
    for card in cards:
        with grid.cell():
            name = f"pattern {card.concept + 1}"
            if card.painted is not None:
                st.image(card.painted, width="stretch", alt=f"Where {name} is in your photo", output_format="JPEG")
            crops = typical_crops(bundle, concepts, card.concept)
            if crops is not None:
                st.image(crops, width="stretch", alt=f"What {name} looks like in training photos", output_format="JPEG")
            file = concept_picture(bundle, card.concept)
            picture = "" if file is None else picture_html(file, f"The model’s own picture of {name}, not a photo")
            # Without crops it is all that shows what the concept looks like; beside them it is small.
            place = "instead" if crops is None else "beside"
            st.html(f'<div class="picture-{place}">{picture}<p class="card">{card.caption}</p></div>')
    if any(concept_picture(bundle, card.concept) for card in cards):
        st.caption(HOW)


def typical_crops(bundle: Bundle, concepts: Concepts, concept: int, count: int = CROPS) -> NDArray[np.uint8] | None:
    """Places of training photos that have most of a concept, side by side, (CROP_SIDE, w, 3) uint8 RGB.

    Args:
        bundle: the model.
        concepts: its concepts.
        concept: the number, from 0.
        count: of places.

    Returns:
        The strip; None where the data set is not on this machine.
    """
    strip: list[NDArray[np.uint8]] = []
    for photo_id, (row, column) in zip(concepts.photos[concept], concepts.places[concept], strict=True):
        path = photo_file(bundle.photo_set.ref(photo_id))
        if path is None or len(strip) >= 2 * count:
            continue
        try:
            crop = place_crop(path, bundle.crop_rule, (int(row), int(column)), concepts.grid)
        except PhotoError:
            continue
        strip += [crop, np.full((CROP_SIDE, _GAP, 3), 128, np.uint8)]
    return np.concatenate(strip[:-1], axis=1) if strip else None


def typical_flowers(bundle: Bundle, concepts: Concepts, concept: int, taxonomy: Taxonomy) -> str:
    """The flowers whose names a concept speaks for most, as a list in words.

    Args:
        bundle: the model.
        concepts: its concepts.
        concept: the number, from 0.
        taxonomy: the classes' names.
    """
    return most_typical(models.concept_worths(bundle, concepts)[:, concept], taxonomy)


def most_typical(worths: NDArray[np.float64], taxonomy: Taxonomy) -> str:
    """As `typical_flowers`.

    Args:
        worths: (classes,), what the concept is worth to each flower, in logits.
        taxonomy: the classes' names.
    """
    kept = typical(worths)
    return listed([taxonomy[index + 1].name for index in kept], "and") if kept else "no flower in particular"
