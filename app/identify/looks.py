"""Several looks: where the whole photo left doubt, the part that decided, and the whole photo alone one click away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.elements.words import percent
from app.identify.crop_choice import Percents, choose_crop, choose_whole_alone, forget_crop, percents_of, pixels_of
from app.resources import session
from app.resources.session import Inference
from flowers_core.data.crops import crop_photo
from flowers_core.data.photos import Photo
from flowers_core.data.taxonomy import Taxonomy

if TYPE_CHECKING:
    from flowers_core.inference.answerer import Answer

# The part's width on the page, in its pixels.
WIDTH = 132


def deciding_part(answer: Answer, inference: Inference) -> Percents | None:
    """The part of the photo that decided, as an address can hold it; None where the whole photo was enough.

    Args:
        answer: to the whole photo.
        inference: of the whole photo.
    """
    if answer.looks is None or answer.looks.box is None:
        return None
    return percents_of(answer.looks.box, inference.photo.width, inference.photo.height)


def describe(answer: Answer, taxonomy: Taxonomy) -> str:
    """What the looks gave beside the whole photo alone, as Markdown; "" where the whole photo was enough.

    Args:
        answer: to the whole photo.
        taxonomy: the classes' names.
    """
    if answer.looks is None:
        return ""
    best = answer.whole.candidates[0]
    alone = f"The whole photo alone leaves doubt: {taxonomy[best.label].name}, {percent(best.probability)} probable."
    if answer.looks.box is None:
        return f"{alone} The model looked at {answer.looks.crops} parts of it too, and none looks more like a flower."
    name = taxonomy[answer.prediction.candidates[0].label].name
    named = "one is" if answer.looks.agreeing == 1 else f"{answer.looks.agreeing} are"
    return (
        f"{alone} So the model looked at {answer.looks.crops} parts of it as well: {named} clearly named **{name}**, "
        "and this one decided. The answer is that of all looks together."
    )


def draw_looks(answer: Answer, part: Percents | None, photo: Photo, taxonomy: Taxonomy) -> None:
    """The part that decided, what was looked at, and buttons for that part and for the whole photo alone.

    Nothing is drawn after a single look.

    Args:
        answer: to the whole photo.
        part: the part that decided, if one did.
        photo: the whole one.
        taxonomy: the classes' names.
    """
    if answer.looks is None:
        return
    if part is None:
        st.caption(describe(answer, taxonomy))
        return
    crop = crop_photo(photo, pixels_of(part, photo.width, photo.height))
    with st.container(border=True, horizontal=True, gap="medium", vertical_alignment="center", key="closer"):
        st.image(session.shown_pixels(crop), width=WIDTH, alt="The part of the photo that decided")
        with st.container(width="stretch"):
            st.markdown(describe(answer, taxonomy))
            with st.container(horizontal=True, gap="small"):
                st.button(
                    "Look at this part",
                    icon=":material/zoom_in:",
                    key="look-closer",
                    on_click=choose_crop,
                    args=(part,),
                )
                st.button(
                    "Whole photo alone",
                    icon=":material/fullscreen:",
                    key="whole-alone",
                    on_click=choose_whole_alone,
                )


def draw_whole_alone() -> None:
    """Where the person asked for the whole photo alone: the way back."""
    st.caption("This is what one look at the whole photo says.")
    st.button("Look at its parts too", icon=":material/zoom_in:", key="all-looks", on_click=forget_crop)
