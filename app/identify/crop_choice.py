"""A crop of the photo to look at closer: a rectangle drawn on it, or its sides set with two sliders.

The crop is kept in the page's address, in per cent of the photo, so that it can be sent along with a photo of the data
set. Drawn by Plotly, the only one of Streamlit's own elements that reports where on a picture something was drawn;
drawing needs a pointer or a finger, so the sliders do the same for the keyboard.
"""

import base64
import io
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from app.elements.photo_grid import draw_photo
from app.resources.session import shown_pixels
from flowers_core.data.crops import crop_photo, squared
from flowers_core.data.photos import Photo, PixelBox
from flowers_core.explain.explanation import Box
from flowers_core.explain.overlay import dim_outside

CROP, PICKING, ACROSS, DOWN = "part", "picking-crop", "crop-across", "crop-down"
TALLEST = 480
# Width of the photo's place on a wide page, in its pixels: a chart has a height of its own.
COLUMN = 448
# Left, top, right, bottom in whole per cent of the photo.
Percents = tuple[int, int, int, int]
WHOLE: Percents = (0, 0, 100, 100)


def chosen_crop(photo: Photo) -> Photo:
    """The crop that is looked at, or the photo itself. Raises PhotoError where it is too small."""
    return crop_photo(photo, pixels_of(read_percents(st.query_params.get(CROP)), photo.width, photo.height))


def forget_crop() -> None:
    """Look at the whole photo: for another one, the old crop means nothing. Only in callbacks."""
    st.query_params.pop(CROP, None)


def choose_whole_alone() -> None:
    """Take one look, at the whole photo, even if it leaves doubt. Only in callbacks."""
    st.query_params[CROP] = written(WHOLE)


def is_whole_alone() -> bool:
    """Whether the address asks for one look at the whole photo."""
    return st.query_params.get(CROP) == written(WHOLE)


def offer_crop() -> None:
    """For an answer that is not sure: what may help."""
    st.html('<p class="lede">Is the flower small in the photo, or one of several?</p>')
    st.button("Look at a part", icon=":material/crop:", key="try-part", on_click=_begin_picking)


def draw_choice(photo: Photo, caption: str, decided: Percents | None = None) -> None:
    """The photo with everything outside the crop dimmed, and the ways to choose another crop.

    Args:
        photo: the whole one.
        caption: below the photo.
        decided: the crop that decided the answer, where the person chose none.
    """
    crop = read_percents(st.query_params.get(CROP))
    shown = shown_pixels(photo)
    height, width = shown.shape[:2]
    bright = decided or crop
    dimmed = shown if bright == WHOLE else dim_outside(shown, pixels_of(bright, width, height))
    if st.session_state.get(PICKING):
        _draw_picker(photo, dimmed, crop)
        st.caption("Draw a rectangle around one flower, or set its sides with the sliders.")
    else:
        draw_photo(dimmed, caption, "The photo that was given", TALLEST)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.toggle("Look at a part", key=PICKING, help="One flower of a bouquet, or a small one, is named better alone.")
        if crop != WHOLE:
            st.button("Whole photo", icon=":material/fullscreen:", key="whole-photo", on_click=forget_crop)
    if st.session_state.get(PICKING):
        st.session_state[ACROSS], st.session_state[DOWN] = crop[::2], crop[1::2]
        for label, key in (("Across", ACROSS), ("Down", DOWN)):
            st.slider(label, 0, 100, key=key, format="%d %%", on_change=_take_sliders)


def _draw_picker(photo: Photo, shown: NDArray[np.uint8], crop: Percents) -> None:
    height, width = shown.shape[:2]
    # Another key for another crop: what was drawn on the old chart goes with it.
    key = f"picker-{photo.sha256[:8]}-{written(crop)}"
    st.plotly_chart(
        picker(shown, crop),
        key=key,
        on_select=lambda: _take_drawn(key, width, height),
        selection_mode="box",
        config={"displayModeBar": False},
        alt="The photo, to draw a rectangle on",
    )


def picker(pixels: NDArray[np.uint8], crop: Percents) -> go.Figure:
    """The photo as a chart whose axes are its pixels, row 0 on top, and the crop's outline.

    Args:
        pixels: (h, w, 3) uint8 RGB, the photo as shown.
        crop: in per cent of the photo's sides.
    """
    # Plotly looks at pandas where it is loaded, were it by half, as while another thread loads it. To import it waits.
    import pandas as pd  # noqa: F401

    height, width = pixels.shape[:2]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    figure = go.Figure(go.Scatter(x=[0, width], y=[0, height], mode="markers", opacity=0, hoverinfo="skip"))
    figure.add_layout_image(
        source=f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}",
        xref="x", yref="y", x=0, y=0, sizex=width, sizey=height, sizing="stretch", layer="below",
    )  # fmt: skip
    if crop != WHOLE:
        left, top, right, bottom = pixels_of(crop, width, height)
        figure.add_shape(type="rect", x0=left, y0=top, x1=right, y1=bottom, line={"color": "#e69f00", "width": 2})
    figure.update_layout(
        height=min(TALLEST, round(COLUMN * height / width)),
        dragmode="select",
        xaxis={"visible": False, "range": [0, width], "constrain": "domain"},
        yaxis={
            "visible": False,
            "range": [height, 0],
            "scaleanchor": "x",
            "constrain": "domain",
            "constraintoward": "top",
        },
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
    )
    return figure


def read_percents(text: str | None) -> Percents:
    """The crop in an address, "20,10,60,50"; the whole photo where there is none or it makes no sense."""
    try:
        left, top, right, bottom = (int(number) for number in (text or "").split(","))
    except ValueError:
        return WHOLE
    return (left, top, right, bottom) if 0 <= left < right <= 100 and 0 <= top < bottom <= 100 else WHOLE


def written(crop: Percents) -> str:
    """A crop as `read_percents` reads it."""
    return ",".join(map(str, crop))


def pixels_of(crop: Percents, width: int, height: int) -> PixelBox:
    """What is looked at: the crop and what makes a square of it.

    Args:
        crop: in per cent of the photo's sides.
        width: of the photo, in pixels.
        height: of the photo, in pixels.

    Returns:
        Left, top, right, bottom in pixels.
    """
    left, top, right, bottom = crop
    box = round(left * width / 100), round(top * height / 100), round(right * width / 100), round(bottom * height / 100)
    return (0, 0, width, height) if crop == WHOLE else squared(box, width, height)


def percents_of(box: Box, width: int, height: int) -> Percents:
    """The smallest rectangle in whole per cents around one in pixels, cut to the photo.

    Args:
        box: two opposite corners in pixels, x0, y0, x1, y1, in any order.
        width: of the photo, in pixels.
        height: of the photo, in pixels.
    """
    (left, right), (top, bottom) = sorted(box[::2]), sorted(box[1::2])
    low = np.floor(100 * np.array([left / width, top / height])).clip(0, 100).astype(int).tolist()
    high = np.ceil(100 * np.array([right / width, bottom / height])).clip(0, 100).astype(int).tolist()
    return low[0], low[1], high[0], high[1]


def drawn_percents(state: Any, width: int, height: int) -> Percents | None:
    """The rectangle drawn last, as the chart reports it.

    Args:
        state: the chart's selection, as Streamlit gives it.
        width: of the photo, in pixels.
        height: of the photo, in pixels.

    Returns:
        The rectangle in per cent; None where none was drawn, or it lies beside the photo.
    """
    boxes = state["selection"]["box"]
    if not boxes:
        return None
    (x0, x1), (y0, y1) = boxes[-1]["x"], boxes[-1]["y"]
    left, top, right, bottom = percents_of((x0, y0, x1, y1), width, height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _begin_picking() -> None:
    st.session_state[PICKING] = True


def _take_drawn(key: str, width: int, height: int) -> None:
    crop = drawn_percents(st.session_state[key], width, height)
    if crop is not None:
        choose_crop(crop)


def _take_sliders() -> None:
    left, right = st.session_state[ACROSS]
    top, bottom = st.session_state[DOWN]
    choose_crop((left, top, right, bottom))


def choose_crop(crop: Percents) -> None:
    """Look at a crop from now on. Only in callbacks."""
    if crop == WHOLE:
        forget_crop()
    else:
        st.query_params[CROP] = written(crop)
