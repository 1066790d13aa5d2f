"""The map of a large gallery: photos counted in dots where they are many, one by one where the visitor looks closer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from app.elements.gallery_card import gallery_card
from app.elements.pagination import choose_page, first_page
from app.elements.photo_grid import draw_cards
from app.elements.words import listed
from app.resources import large_gallery
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.bundle import Bundle
from flowers_core.retrieval.stores.gallery_map import WHOLE, Box, Dots, dots

if TYPE_CHECKING:
    from app.resources.large_gallery import MappedGallery

KEY, _LIST, _BOX = "gallery-map", "gallery-map-photos", "gallery-map-box"
PER_PAGE = 24
# So many of those within a loop are listed; who wants others draws a smaller one.
_LISTED = 240


def draw_gallery_map(bundle: Bundle, mapped: MappedGallery) -> None:
    """The dots, what to do with them, and the photos within the loop drawn on them.

    Args:
        bundle: the model.
        mapped: the gallery and where its photos lie.
    """
    box: Box = st.session_state.get(_BOX, WHOLE)
    shown = dots(mapped.points, box)
    whole = "" if box == WHOLE else f" of {len(mapped.points):,}"
    each = "Each is a dot." if len(shown.counts) == len(shown.rows) else "A dot stands for those around it."
    st.markdown(
        f"**{len(shown.rows):,}**{whole} photos of your gallery, each among the known photos that it is most like. "
        f"{each} Draw a loop around some to see what they are, and look closer."
    )
    state = st.plotly_chart(
        _figure(shown, box),
        key=f"{KEY}-{box}",
        on_select=lambda: first_page(_LIST),
        selection_mode=("lasso", "box"),
        config={"displaylogo": False, "modeBarButtons": [["lasso2d", "select2d"]]},
        alt="The photos of your gallery as dots, photos that the model finds alike close to each other",
    )
    picked = photos_in(shown, state)
    with st.container(horizontal=True):
        if len(picked):
            closer = around(mapped.points[picked])
            st.button("Look closer", icon=":material/zoom_in:", on_click=_look_at, args=(closer,))
        if box != WHOLE:
            st.button("The whole map", icon=":material/zoom_out_map:", on_click=_look_at, args=(WHOLE,))
    if not len(picked):
        return
    st.markdown(picked_sentence(mapped.index.labels[picked], bundle.taxonomy))
    keys = [key.decode() for key in mapped.index.keys[picked[:_LISTED]].tolist()]
    place = st.container()
    page = choose_page(_LIST, keys, PER_PAGE)
    with place:
        draw_cards(KEY, [gallery_card(entry) for entry in large_gallery.entries(mapped.store, page)], smallest=110)


def photos_in(shown: Dots, state: Any) -> NDArray[np.int64]:
    """The rows of the photos that the selected dots stand for.

    Args:
        shown: what is drawn.
        state: the selection as the chart reports it.
    """
    chosen = [int(np.ravel(point["customdata"])[0]) for point in state["selection"]["points"] if "customdata" in point]
    return shown.rows[np.isin(shown.dot, chosen)]


def around(points: NDArray[np.float32]) -> Box:
    """A box around points with a margin of a tenth, never so small that nothing could lie in it.

    Args:
        points: (n, 2), n ≥ 1.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.maximum((high - low) * 0.1, 0.005)
    (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
    return left, bottom, right, top


def picked_sentence(labels: NDArray[np.int16], taxonomy: Taxonomy) -> str:
    """How many photos are within, and what the model called most of them.

    Args:
        labels: (n,), 1-based, n ≥ 1.
        taxonomy: the classes' names.
    """
    counts = Counter(labels.tolist()).most_common()
    mostly = listed([f"{count:,} {taxonomy[label].name}" for label, count in counts[:4]], "and")
    others = len(counts) - 4
    more = f", and {others} other {'flower' if others == 1 else 'flowers'}" if others > 0 else ""
    first = f" The first {_LISTED} are listed." if len(labels) > _LISTED else ""
    return f"**{len(labels):,}** photos lie within. The model called them {mostly}{more}.{first}"


def _figure(shown: Dots, box: Box) -> go.Figure:
    figure = go.Figure(
        go.Scattergl(
            x=shown.x,
            y=shown.y,
            customdata=np.arange(len(shown.counts), dtype=np.int32),
            text=[f"{count:,} photos" if count > 1 else "a photo" for count in shown.counts.tolist()],
            mode="markers",
            marker={
                "color": "#2f6fa8",
                "size": 4 + 14 * np.sqrt(shown.counts / max(1, shown.counts.max(initial=1))),
                "opacity": 0.7,
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 0.15}},
            hovertemplate="%{text}<extra></extra>",
        )
    )
    left, bottom, right, top = box
    figure.update_layout(
        height=600,
        dragmode="lasso",
        xaxis={"visible": False, "range": [left, right]},
        yaxis={"visible": False, "range": [bottom, top]},
        margin={"l": 0, "r": 0, "t": 30, "b": 0},
    )
    return figure


def _look_at(box: Box) -> None:
    st.session_state[_BOX] = box
    first_page(_LIST)
