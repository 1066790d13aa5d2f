"""Each neighbour beside the photo at hand, with the spots of both that make the two alike."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from app import resources
from app.elements.heatmap import close_up
from app.elements.photo_grid import Card, draw_photo
from app.resources import Look
from flowers_core.data.photo_ref import PhotoRef, oxford
from flowers_core.data.photos import PhotoError
from flowers_core.explain.attributions.cam import neighbour_similarity
from flowers_core.explain.explanation import Explanation
from flowers_core.explain.overlay import draw
from flowers_core.retrieval.user_photos import ExtendedGallery

SIDE = 300
OPACITY = 0.7
READING = (
    "On the left your photo, on the right the other. The brighter a spot, the more of the similarity comes from it: "
    "each map adds up to the similarity itself."
)


def near_explanations(
    look: Look, gallery: ExtendedGallery, photo: PhotoRef, path: Path | None
) -> tuple[Explanation, tuple[Explanation, NDArray[np.uint8]] | None]:
    """Why a photo of the gallery is near: split over the photo at hand, and over the neighbour with its pixels.

    The second is None where the neighbour's file is not at hand or holds no photo.
    """
    size = (look.photo.width, look.photo.height)
    here = neighbour_similarity(
        look.forward.features[0], gallery.vector(photo), photo.id, box=look.seen.box, photo_size=size
    )
    if path is None:
        return here, None
    try:
        other = resources.glance(path, look.bundle, look.precision, SIDE)
    except PhotoError:
        return here, None
    there = neighbour_similarity(
        other.features, look.forward.embedding[0], photo.id, box=other.box, photo_size=other.photo_size
    )
    return here, (there, other.pixels)


def draw_near(look: Look, gallery: ExtendedGallery, cards: Sequence[Card]) -> None:
    """A pair of maps for each card; the neighbour's number stands in where its photo is not at hand."""
    flowers = resources.data().flowers
    st.markdown(READING)
    mine = Image.fromarray(resources.shown_pixels(look.photo))
    mine.thumbnail((SIDE, SIDE))
    grid = st.grid(key="photos-near", min_column_width=300, gap=("medium", "medium"))
    for card in cards:
        here, there = near_explanations(
            look,
            gallery,
            PhotoRef("user", card.photo_id, look.bundle.name) if card.own else oxford(card.photo_id),
            card.own or resources.photo_file(card.photo_id),
        )
        with grid.cell():
            left, right = st.columns(2, gap="small")
            with left:
                st.image(
                    _painted(np.asarray(mine), here), width="stretch", alt=f"What in your photo is like: {card.alt}"
                )
            with right:
                if there is None:
                    draw_photo(Card(card.photo_id, "", card.alt), None)
                else:
                    st.image(
                        _painted(there[1], there[0]), width="stretch", alt=f"What is like your photo in: {card.alt}"
                    )
            st.html(f'<p class="card">{card.caption}</p>')
            if flowers is not None and card.photo_id in flowers.ids:
                st.page_link(
                    "identify/page.py",
                    label="Look closer",
                    icon=":material/zoom_in:",
                    query_params={"photo": str(card.photo_id)},
                )


def _painted(pixels: NDArray[np.uint8], explanation: Explanation) -> NDArray[np.uint8]:
    part, placed = close_up(pixels, explanation)
    return draw(part, placed, OPACITY)
