"""All maps of one photo and target that are there, beside each other."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.elements.heatmap import close_up
from app.elements.photo_grid import draw_photo
from flowers_core.explain.explanation import Explanation
from flowers_core.explain.methods import METHODS
from flowers_core.explain.overlay import draw

IN_A_ROW = 3
TALLEST = 360


def draw_side_by_side(
    pixels: NDArray[np.uint8], known: Sequence[Explanation], opacity: float, threshold: float
) -> None:
    """A switch, and behind it one picture for each method that has been run.

    Each map has a scale of its own, for their units differ.

    Args:
        pixels: (h, w, 3) uint8 RGB, the photo as shown.
        known: the maps of this photo and target.
        opacity: of the map, 0…1.
        threshold: 0…1; what is weaker than this fraction of the map's strongest is left out.
    """
    if len(known) < 2:
        return
    if not st.toggle("Side by side with the other methods", key="side-by-side"):
        return
    for begin in range(0, len(known), IN_A_ROW):
        columns = st.columns(IN_A_ROW, gap="small")
        for column, explanation in zip(columns, known[begin : begin + IN_A_ROW], strict=False):
            title = METHODS[explanation.method].title
            part, placed = close_up(pixels, explanation)
            with column:
                caption = f"{title} · {explanation.seconds:.1f} s"
                painted = draw(part, placed, opacity, threshold=threshold)
                draw_photo(painted, caption, f"The map of {title}", TALLEST)
    st.caption("Each map is drawn on a scale of its own, from nothing to its strongest spot.")
