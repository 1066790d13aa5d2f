"""The nearest photos of a large gallery: what the model called them, how alike they are, where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import PurePosixPath
from typing import Any

import streamlit as st

from app.elements.photo_grid import Card, draw_cards
from app.elements.words import capital, percent
from app.identify.identified import Identified
from app.resources import large_gallery
from flowers_core.errors import FlowersError

#: The choice of these photos among the neighbours, and what it is called.
GALLERY, TITLE = "gallery", "Your gallery"
COUNT = 12


def gallery_is_there(identified: Identified) -> bool:
    """Whether a large gallery can be asked; where one is named and cannot be opened, the page says why."""
    try:
        return large_gallery.large_gallery(identified.inference.bundle) is not None
    except FlowersError as error:
        st.warning(str(error), icon=":material/database_off:")
        return False


def draw_gallery_neighbours(identified: Identified, label: int | None) -> None:
    """The nearest photos of the gallery.

    Args:
        identified: the photo and the answer.
        label: only photos that the model called so; None for all.
    """
    # The first answer must not wait for Arrow.
    from flowers_core.retrieval.stores.entries import Where

    store = large_gallery.large_gallery(identified.inference.bundle)
    assert store is not None
    photo = identified.inference.photo
    itself = photo.crop.whole if photo.crop else photo.sha256
    where = Where(None if label is None else frozenset({label}), exclude=frozenset({itself}))
    found = large_gallery.nearest(store, identified.inference.forward.embedding[0], COUNT, where)
    st.markdown(count_sentence(store.count(), len(found)))
    draw_cards("gallery", [_card(hit.similarity, row, identified.label) for hit, row in found])


def count_sentence(held: int, found: int) -> str:
    """How many photos were looked through, and what their names are.

    Args:
        held: photos in the gallery.
        found: those that are shown.
    """
    if not found:
        return f"None of the **{held:,}** photos in your gallery is of this kind."
    return f"The nearest of **{held:,}** photos in your gallery, with what the model called each and how sure it was."


def _card(similarity: float, row: Mapping[str, Any], answer: int) -> Card:
    name, file_name = capital(row["name"]), PurePosixPath(row["path"]).name
    same = " same" if row["label"] == answer else ""
    return Card(
        photo=large_gallery.gallery_ref(row["key"]),
        caption=(
            f'<span class="name{same}">{escape(name)}</span><br>'
            f'<span class="quiet">{percent(row["confidence"])} sure, similarity {similarity:.2f}<br>'
            f"{escape(file_name)}</span>"
        ),
        alt=f"{name}, your photo {file_name}",
    )
