"""A photo on the page, no taller than its place."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray


def draw_photo(pixels: NDArray[np.uint8], caption: str, alt: str, tallest: int) -> None:
    """A photo (h, w, 3) as wide as its column, unless that would make it taller than so many pixels of the page."""
    height, width = pixels.shape[:2]
    st.image(pixels, caption=caption, alt=alt, width=max(1, round(tallest * width / height)), output_format="JPEG")
