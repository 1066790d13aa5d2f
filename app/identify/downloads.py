"""The map on screen as files: the numbers, and the picture."""

import io

import numpy as np
import streamlit as st
from PIL import Image

from flowers_core.data.photos import Photo
from flowers_core.explain.explanation import Explanation
from flowers_core.explain.overlay import draw


def offer_files(photo: Photo, explanation: Explanation, opacity: float, threshold: float) -> None:
    """Two buttons; the files are made when they are asked for.

    Args:
        photo: the photo.
        explanation: the map.
        opacity: of the map, 0…1.
        threshold: 0…1; what is weaker than this fraction of the map's strongest is left out.
    """
    name = f"{explanation.method}-{photo.sha256[:8]}"
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Map (.npy)",
            lambda: as_npy(explanation),
            file_name=f"{name}.npy",
            mime="application/octet-stream",
            icon=":material/grid_on:",
            key="map-npy",
            help=f"The numbers over the photo, height × width, float32, in “{explanation.unit}”.",
            on_click="ignore",
        )
        st.download_button(
            "Overlay (PNG)",
            lambda: as_png(photo, explanation, opacity, threshold),
            file_name=f"{name}.png",
            mime="image/png",
            icon=":material/image:",
            key="map-png",
            on_click="ignore",
        )


def as_npy(explanation: Explanation) -> bytes:
    """The map over the photo, (photo height, photo width) float32."""
    file = io.BytesIO()
    np.save(file, explanation.heatmap(), allow_pickle=False)
    return file.getvalue()


def as_png(photo: Photo, explanation: Explanation, opacity: float, threshold: float) -> bytes:
    """The photo with the map laid over, at the photo's own size.

    Args:
        photo: the photo.
        explanation: the map.
        opacity: of the map, 0…1.
        threshold: 0…1; what is weaker than this fraction of the map's strongest is left out.

    Returns:
        The bytes of a PNG file.
    """
    file = io.BytesIO()
    Image.fromarray(draw(photo.pixels, explanation, opacity, threshold=threshold)).save(file, "PNG")
    return file.getvalue()
