"""Photos of the data set in a grid, or their numbers where the photos are not on disk."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import resources
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import PhotoError
from flowers_core.data.thumbnails import Thumbnails

PAGE = "page"
# Longer side, in pixels, of a photo on a card and of one among very many.
CARD_SIDE = 400
SHEET_SIDE = 120
Item = TypeVar("Item")


@dataclass(frozen=True)
class Card:
    """One photo of the data set: `caption` is HTML, `alt` says in plain words what the photo shows.

    own: where the photo lies when it is not of the data set but one of the person's own. painted: what is shown in the
    photo's place, (h, w, 3) uint8; None shows the photo, or its number. link: offer to look closer, on *Identify*.
    """

    photo_id: int
    caption: str
    alt: str
    own: Path | None = None
    painted: NDArray[np.uint8] | None = None
    link: bool = True


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
    small = _small(card, CARD_SIDE)
    if card.painted is not None:
        st.image(card.painted, width="stretch", alt=card.alt, output_format="JPEG")
    elif small is not None:
        st.image(small, width="stretch", alt=card.alt)
    else:
        st.html(
            f'<div class="no-photo" role="img" aria-label="{escape(card.alt)}; not on this machine">'
            f"<span>photo</span><b>{card.photo_id}</b></div>"
        )
    st.html(f'<p class="card">{card.caption}</p>')
    if path is not None and card.link:
        st.page_link(
            "identify/page.py",
            label="Look closer",
            icon=":material/zoom_in:",
            query_params={"photo": str(card.photo_id)},
        )


def draw_sheet(cards: Sequence[Card]) -> None:
    """Very many photos as one piece of the page: small, each with its words as a tooltip and a link to *Identify*."""
    items = []
    for card in cards:
        small = _small(card, SHEET_SIDE)
        words = escape(card.alt, quote=True)
        if small is None:
            inner = f'<span class="number">{card.photo_id}</span>'
        else:
            inner = f'<img alt="{words}" src="data:image/jpeg;base64,{b64encode(small).decode()}">'
        link = "" if card.own else f' href="/?photo={card.photo_id}" target="_self"'
        items.append(f'<a{link} title="{words}" aria-label="{words}">{inner}</a>')
    st.html(f'<div class="sheet">{"".join(items)}</div>')


def _small(card: Card, side: int) -> bytes | None:
    """The card's photo as a small JPEG, upright; None where it is not at hand or cannot be read."""
    path = card.own or resources.photo_file(card.photo_id)
    if path is None or card.painted is not None:
        return None
    try:
        return Thumbnails().get(path, side)
    except PhotoError:
        return None
