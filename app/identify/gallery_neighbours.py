"""The nearest photos of a large gallery: what the model called them, how alike they are, where they lie."""

from __future__ import annotations

import streamlit as st

from app.elements.gallery_card import gallery_card
from app.elements.photo_grid import draw_cards
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
    draw_cards(
        "gallery", [gallery_card(row, hit.similarity, same=row["label"] == identified.label) for hit, row in found]
    )


def count_sentence(held: int, found: int) -> str:
    """How many photos were looked through, and what their names are.

    Args:
        held: photos in the gallery.
        found: those that are shown.
    """
    if not found:
        return f"None of the **{held:,}** photos in your gallery is of this kind."
    return f"The nearest of **{held:,}** photos in your gallery, with what the model called each and how sure it was."
