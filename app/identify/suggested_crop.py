"""For an answer that is not sure: a part of the photo that is named more surely, one click away."""

from dataclasses import dataclass

import streamlit as st

from app.elements.words import capital, percent
from app.identify.crop_choice import Percents, choose_crop, percents_of, pixels_of
from app.identify.identified import Identified
from app.resources import session
from app.resources.session import Inference
from flowers_core.data.crops import crop_photo
from flowers_core.data.photos import Photo
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.prediction import Candidate, Prediction

# The crop's width on the page, in its pixels.
WIDTH = 132


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A crop that is named more surely than the whole photo.

    Attributes:
        percents: left, top, right, bottom in per cent of the photo.
        crop: the crop as a photo.
        best: what the model says of it alone.
        agreeing: how many of the crops are named so.
        crops: how many crops were tried.
    """

    percents: Percents
    crop: Photo
    best: Candidate
    agreeing: int
    crops: int


def find_suggestion(inference: Inference) -> Suggestion | None:
    """The crop to suggest, as an address can hold it; None where crops agree on nothing.

    The whole per cents of an address move its edges a little: what is said of it is what its own page will say.
    """
    found = session.multi_crop(inference)
    if found is None:
        return None
    width, height = inference.photo.width, inference.photo.height
    percents = percents_of(found.box, width, height)
    crop = crop_photo(inference.photo, pixels_of(percents, width, height))
    of_crop = session.predict(session.infer(crop, inference.bundle, inference.numeric_format))
    best = of_crop.candidates[0]
    return Suggestion(percents, crop, best, found.agreeing, found.crops) if best.label == found.label else None


def describe(suggestion: Suggestion, prediction: Prediction, taxonomy: Taxonomy) -> str:
    """What the crop says beside the answer about the whole, as Markdown.

    Args:
        suggestion: the crop.
        prediction: of the whole photo.
        taxonomy: the classes' names.
    """
    name = taxonomy[suggestion.best.label].name
    other = suggestion.best.label != prediction.candidates[0].label
    says = "says something else" if other else "says the same, and is surer of it"
    return (
        f"A part of the photo {says}: **{capital(name)}**, {percent(suggestion.best.probability)} probable. "
        f"Of the {suggestion.crops} parts that were tried, {suggestion.agreeing} are named so."
    )


def draw_suggestion(identified: Identified, taxonomy: Taxonomy) -> None:
    """The crop, what it is called, and a button that looks at it; nothing where there is none to suggest.

    Args:
        identified: the photo, the model's answer and the neighbours.
        taxonomy: the classes' names.
    """
    suggestion = find_suggestion(identified.inference)
    if suggestion is None or suggestion.best.probability <= identified.prediction.candidates[0].probability:
        return
    with st.container(border=True, horizontal=True, gap="medium", vertical_alignment="center", key="closer"):
        st.image(session.shown_pixels(suggestion.crop), width=WIDTH, alt="The part of the photo that is meant")
        with st.container(width="stretch"):
            st.markdown(describe(suggestion, identified.prediction, taxonomy))
            st.button(
                "Look at this part",
                icon=":material/zoom_in:",
                key="look-closer",
                on_click=choose_crop,
                args=(suggestion.percents,),
            )
