"""For an answer that is not sure: a part of the photo that is named more surely, one click away."""

from dataclasses import dataclass

import streamlit as st

from app import resources
from app.elements.words import capital, percent
from app.identify.crop_choice import Percents, choose_part, percents_of, pixels_of
from app.resources import Look
from flowers_core.data.crops import crop_photo
from flowers_core.data.photos import Photo
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.prediction import Candidate, Prediction

# The part's width on the page, in its pixels.
WIDTH = 132


@dataclass(frozen=True, eq=False)
class Closer:
    """A part, what the model says when it looks at that alone, and how many of the parts tried are named so."""

    percents: Percents
    part: Photo
    best: Candidate
    agreeing: int
    parts: int


def find_closer(look: Look) -> Closer | None:
    """The part to suggest, as an address can hold it; None where parts agree on nothing.

    The whole per cents of an address move its edges a little: what is said of it is what its own page will say.
    """
    found = resources.closer_look(look)
    if found is None:
        return None
    width, height = look.photo.width, look.photo.height
    percents = percents_of(found.box, width, height)
    part = crop_photo(look.photo, pixels_of(percents, width, height))
    best = resources.predict(resources.look(part, look.bundle, look.precision)).candidates[0]
    return Closer(percents, part, best, found.agreeing, found.parts) if best.label == found.label else None


def put_in_words(closer: Closer, prediction: Prediction, taxonomy: Taxonomy) -> str:
    """What the part says beside the answer about the whole, as Markdown."""
    name = taxonomy[closer.best.label].name
    other = closer.best.label != prediction.candidates[0].label
    says = "says something else" if other else "says the same, and is surer of it"
    return (
        f"A part of the photo {says}: **{capital(name)}**, {percent(closer.best.probability)} probable. "
        f"Of the {closer.parts} parts that were tried, {closer.agreeing} are named so."
    )


def draw_closer(look: Look, prediction: Prediction, taxonomy: Taxonomy) -> None:
    """The part, what it is called, and a button that looks at it; nothing where there is none to suggest."""
    closer = find_closer(look)
    if closer is None or closer.best.probability <= prediction.candidates[0].probability:
        return
    with st.container(border=True, horizontal=True, gap="medium", vertical_alignment="center", key="closer"):
        st.image(resources.shown_pixels(closer.part), width=WIDTH, alt="The part of the photo that is meant")
        with st.container(width="stretch"):
            st.markdown(put_in_words(closer, prediction, taxonomy))
            st.button(
                "Look at this part",
                icon=":material/zoom_in:",
                key="look-closer",
                on_click=choose_part,
                args=(closer.percents,),
            )
