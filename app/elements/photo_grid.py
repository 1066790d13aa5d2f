"""Photos: one no taller than its place, and many in a grid, with their numbers where the photos are not on disk."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import quote

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.elements.model_picture import picture_html
from app.resources.data import photo_file
from flowers_core.data.photo_ref import PhotoRef
from flowers_core.data.photos import PhotoError
from flowers_core.data.thumbnails import Thumbnails

IDENTIFY = "identify/page.py"
# Longer side, in pixels, of a photo on a card and of one among very many.
CARD_SIDE = 400
SHEET_SIDE = 120


@dataclass(frozen=True)
class Card:
    """A photo with its words.

    Attributes:
        photo: which photo it is.
        caption: HTML.
        alt: what the photo shows, in plain words.
        painted: what is shown in the photo's place, (h, w, 3) uint8; None shows the photo, or its number.
        link: whether to offer a closer look on *Identify*.
        stand_in: the model's own picture of what the photo shows, WebP, for where the photo is not at hand.
    """

    photo: PhotoRef
    caption: str
    alt: str
    painted: NDArray[np.uint8] | None = None
    link: bool = True
    stand_in: bytes | None = None


def draw_photo(pixels: NDArray[np.uint8], caption: str, alt: str, tallest: int) -> None:
    """A photo as wide as its column, unless that would make it too tall.

    Args:
        pixels: (h, w, 3) uint8 RGB, the photo as shown.
        caption: below the photo.
        alt: what the photo shows, for a screen reader.
        tallest: largest height on the page, in pixels.
    """
    height, width = pixels.shape[:2]
    st.image(pixels, caption=caption, alt=alt, width=max(1, round(tallest * width / height)), output_format="JPEG")


def draw_cards(key: str, cards: Sequence[Card], *, smallest: int = 150) -> None:
    """The cards in as many columns as fit; each photo links to *Identify*, where it can be looked at closely.

    Args:
        key: what the grid is called on the page.
        cards: a photo and its text each.
        smallest: least width of a column, in pixels.
    """
    grid = st.grid(key=f"photos-{key}", min_column_width=smallest, gap=("medium", "small"))
    stood_in: set[bytes] = set()
    for card in cards:
        with grid.cell():
            # The same picture a second time tells nothing more; the photo's number does.
            draw_card(replace(card, stand_in=None) if card.stand_in in stood_in else card)
        if card.stand_in is not None and photo_file(card.photo) is None:
            stood_in.add(card.stand_in)


def draw_card(card: Card) -> None:
    """One photo, or its number, with its caption."""
    small = _thumbnail(card, CARD_SIDE)
    if card.painted is not None:
        st.image(card.painted, width="stretch", alt=card.alt, output_format="JPEG")
    elif small is not None:
        st.image(small, width="stretch", alt=card.alt)
    elif card.stand_in is not None:
        alt = f"{card.alt}; not on this machine, so the model’s own picture of the flower stands here"
        st.html(
            f'<div class="stand-in">{picture_html(card.stand_in, alt)}<span>The model’s own picture of the flower, '
            "not a photo</span></div>"
        )
    else:
        st.html(
            f'<div class="no-photo" role="img" aria-label="{escape(card.alt)}; not on this machine">'
            f"<span>photo</span><b>{card.photo.id or '…'}</b></div>"
        )
    draw_caption(card)


def draw_caption(card: Card) -> None:
    """A card's words and its link."""
    st.html(f'<p class="card">{card.caption}</p>')
    if card.link and photo_file(card.photo) is not None:
        st.page_link(
            IDENTIFY, label="Look closer", icon=":material/zoom_in:", query_params={"photo": card.photo.address}
        )


def draw_sheet(cards: Sequence[Card]) -> None:
    """Very many photos as one piece of the page: small, each with its words as a tooltip and a link to *Identify*."""
    items = []
    for card in cards:
        small = _thumbnail(card, SHEET_SIDE)
        words = escape(card.alt, quote=True)
        if small is None:
            inner = f'<span class="number">{card.photo.id}</span>'
        else:
            inner = f'<img alt="{words}" src="data:image/jpeg;base64,{b64encode(small).decode()}">'
        items.append(
            f'<a href="{identify_href(card.photo)}" target="_self" title="{words}" aria-label="{words}">{inner}</a>'
        )
    st.html(f'<div class="sheet">{"".join(items)}</div>')


def identify_href(photo: PhotoRef) -> str:
    """The address of a photo on *Identify*, as seen from another page: under whatever path the app is served."""
    return f"./?photo={quote(photo.address)}"


def _thumbnail(card: Card, side: int) -> bytes | None:
    """The card's photo as a small JPEG, upright; None where it is not at hand or cannot be read."""
    path = photo_file(card.photo)
    if path is None or card.painted is not None:
        return None
    try:
        return Thumbnails().get(path, side)
    except PhotoError:
        return None
