"""Each neighbour beside the photo at hand, with the spots of both that make the two similar."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from app.elements.photo_grid import Card, draw_caption, draw_card
from app.elements.small_map import SIDE, painted
from app.resources.data import photo_file
from app.resources.session import Inference, shown_pixels
from app.resources.thumbnails import thumbnail_inference
from flowers_core.data.photo_ref import PhotoRef
from flowers_core.data.photos import PhotoError
from flowers_core.explain.attributions.cam import neighbour_similarity
from flowers_core.explain.explanation import Explanation
from flowers_core.retrieval.user_photos import ExtendedGallery

READING = (
    "On the left your photo, on the right the other. The brighter a spot, the more of the similarity comes from it: "
    "each map adds up to the similarity itself."
)


def neighbour_explanations(
    inference: Inference, gallery: ExtendedGallery, photo: PhotoRef, path: Path | None
) -> tuple[Explanation, tuple[Explanation, NDArray[np.uint8]] | None]:
    """Why a known photo is near: its similarity, split over the photo at hand and over the neighbour.

    Args:
        inference: the photo and what the model makes of it.
        gallery: the known photos.
        photo: the neighbour.
        path: the neighbour's file; None where it is not at hand.

    Returns:
        The map of the photo at hand; and the map of the neighbour with its pixels, (h, w, 3) uint8 RGB, or None where
        the neighbour's file is not at hand or holds no photo.
    """
    size = (inference.photo.width, inference.photo.height)
    here = neighbour_similarity(
        inference.forward.features[0], gallery.vector(photo), photo.id, box=inference.seen.box, photo_size=size
    )
    if path is None:
        return here, None
    try:
        other = thumbnail_inference(path, inference.bundle, inference.numeric_format, SIDE)
    except PhotoError:
        return here, None
    there = neighbour_similarity(
        other.features, inference.forward.embedding[0], photo.id, box=other.box, photo_size=other.photo_size
    )
    return here, (there, other.pixels)


def draw_neighbour_maps(inference: Inference, gallery: ExtendedGallery, cards: Sequence[Card]) -> None:
    """A pair of maps for each card; the neighbour's id stands in where its photo is not at hand.

    Args:
        inference: the photo and what the model makes of it.
        gallery: the known photos.
        cards: the neighbours.
    """
    st.markdown(READING)
    image = Image.fromarray(shown_pixels(inference.photo))
    image.thumbnail((SIDE, SIDE))
    mine = np.asarray(image)
    grid = st.grid(key="photos-near", min_column_width=300, gap=("medium", "medium"))
    for card in cards:
        here, there = neighbour_explanations(inference, gallery, card.photo, photo_file(card.photo))
        with grid.cell():
            left, right = st.columns(2, gap="small")
            left.image(painted(mine, here), width="stretch", alt=f"What in your photo is like: {card.alt}")
            with right:
                if there is None:
                    draw_card(Card(card.photo, "", card.alt, link=False))
                else:
                    explanation, pixels = there
                    alt = f"What is like your photo in: {card.alt}"
                    st.image(painted(pixels, explanation), width="stretch", alt=alt)
            draw_caption(card)
