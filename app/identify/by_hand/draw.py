"""*What if*, by hand: change the photo, and the name, the map and the patterns follow."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from app.elements.told import told
from app.identify.by_hand.component import canvas
from app.identify.by_hand.follow import follow, picture
from app.identify.explaining import ClassOrContrast
from app.identify.target_choice import Asked
from app.resources import server_settings, session
from app.resources.session import Inference
from flowers_core.data.edit import FILLS, GRID, LEAST_SIDE, LIGHT, Edit
from flowers_core.explain.explanation import ClassTarget

# Longer side of the photo on the canvas, in pixels: it is sent once, and looked at beside a hand.
SIDE = 560
#: What the choice of a filling calls each.
FILLINGS = {"surroundings": "their surroundings", "blur": "a blur", "mean": "the mean colour"}


def draw_by_hand(asked: Asked) -> None:
    """The canvas, and one sentence before it.

    Args:
        asked: the photo and its answer. The map and the patterns are those of the name that the model gives at each
            moment, unless somebody asked for a flower.
    """
    st.markdown("Move the frame, turn it, change the light or brush something away: the answer follows as you go.")
    itself = asked.target == ClassTarget(asked.identified.label)
    _draw_canvas(asked.identified.inference, None if itself else asked.target)


@st.fragment
@told()
def _draw_canvas(inference: Inference, target: ClassOrContrast | None) -> None:
    """Only this runs again for each edit."""
    key = f"by-hand-{inference.photo.sha256[:12]}"
    sent = _sent(key)
    first = {"x": 0.5, "y": 0.5, "side": inference.bundle.crop_rule.crop_fraction, "angle": 0, "light": 1}
    edit = Edit.from_json(sent) if sent else Edit(side=first["side"])
    began = time.perf_counter()
    answer = follow(inference, edit, target, with_map=bool(sent.get("map", True)))
    data = {
        "number": int(sent.get("number", 0)),
        "answer": answer,
        "took": 1000 * (time.perf_counter() - began),
        "first": first | {"fill": FILLS[0]},
        "grid": GRID,
        "least": LEAST_SIDE,
        "light": LIGHT,
        "fills": [(fill, FILLINGS[fill]) for fill in FILLS],
    }
    if not sent.get("drawn"):
        data |= _photo(inference)
    # For the first edit, not only from the second page on.
    server_settings.spare_loaded_modules()
    canvas()(key=key, data=data, on_edit_change=_nothing, default={"edit": None})


def _sent(key: str) -> dict[str, Any]:
    """The last edit, as the browser sent it; empty before the first."""
    state = st.session_state.get(key)
    return dict(state["edit"]) if state and state.get("edit") else {}


def _photo(inference: Inference) -> dict[str, Any]:
    """What the browser keeps: the photo itself, once."""
    image = Image.fromarray(session.shown_pixels(inference.photo))
    image.thumbnail((SIDE, SIDE))
    return {
        "photo": picture(np.asarray(image)),
        "size": image.size,
        "label": "Your photo, with the frame that the model sees",
    }


def _nothing() -> None:
    """Streamlit gives a state only to who wants to hear of its changes."""
