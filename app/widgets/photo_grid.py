"""Photos of the data set in a grid, or their numbers where the photos are not on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from app import resources
from flowers_core.dataset import OxfordFlowers

PAGE = "page"
OWN_SIDE = 400
Item = TypeVar("Item")


@dataclass(frozen=True)
class Card:
    """One photo of the data set: `caption` is HTML, `alt` says in plain words what the photo shows.

    own: where the photo lies when it is not of the data set but one of the person's own.
    """

    photo_id: int
    caption: str
    alt: str
    own: Path | None = None


def choose_page(items: Sequence[Item], size: int) -> Sequence[Item]:
    """The items of one page, and below what was drawn so far the control that chooses it; its number is in the address.

    Draw the items into a container made before.
    """
    pages = -(-len(items) // size)
    if pages < 2:
        return items
    if st.session_state.get(PAGE, 1) > pages:
        st.session_state[PAGE] = pages
    page = st.pagination(pages, key=PAGE, bind="query-params")
    return items[(page - 1) * size : page * size]


def draw_photos(key: str, cards: Sequence[Card], flowers: OxfordFlowers | None, *, smallest: int = 150) -> None:
    """The cards in as many columns as fit; each photo links to *Identify*, where it can be looked at closely."""
    grid = st.grid(key=f"photos-{key}", min_column_width=smallest, gap=("medium", "small"))
    for card in cards:
        with grid.cell():
            draw_photo(card, flowers)


def draw_photo(card: Card, flowers: OxfordFlowers | None) -> None:
    """One photo, or its number, with its caption."""
    path = flowers.path(card.photo_id) if flowers is not None and card.photo_id in flowers.ids else None
    shown = card.own or path or resources.photo_file(card.photo_id)
    if shown is not None and shown.is_file():
        st.image(str(shown) if shown == path else _upright(shown), width="stretch", alt=card.alt)
    else:
        st.html(
            f'<div class="no-photo" role="img" aria-label="{escape(card.alt)}; not on this machine">'
            f"<span>photo</span><b>{card.photo_id}</b></div>"
        )
    st.html(f'<p class="card">{card.caption}</p>')
    if path is not None:
        st.page_link(
            "app_pages/identify.py",
            label="Look closer",
            icon=":material/zoom_in:",
            query_params={"photo": str(card.photo_id)},
        )


def _upright(path: Path) -> Any:
    """A photo of the person's own, of whatever format, small enough for a card; grey if it cannot be read any more."""
    import numpy as np
    from PIL import Image

    from flowers_core.photos import PhotoError, open_photo

    try:
        image = Image.fromarray(open_photo(path).pixels)
    except PhotoError:
        return np.full((3, 4, 3), 200, np.uint8)
    image.thumbnail((OWN_SIDE, OWN_SIDE))
    return np.asarray(image)
