"""Photos of the data set in a grid, or their numbers where the photos are not on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

import streamlit as st

from flowers_core.dataset import OxfordFlowers

PAGE = "page"
Item = TypeVar("Item")


@dataclass(frozen=True)
class Card:
    """One photo of the data set: `caption` is HTML, `alt` says in plain words what the photo shows."""

    photo_id: int
    caption: str
    alt: str


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
    if path is not None and path.is_file():
        st.image(str(path), width="stretch", alt=card.alt)
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
