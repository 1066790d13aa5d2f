"""Several photos given at once: as photos of one plant, answered together, or as different plants, each for itself."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from app.elements.choices import choose_one
from app.elements.words import capital, listed, percent, plain
from app.identify.answer import draw_answer, draw_candidates
from app.identify.photo_choice import open_own
from app.resources.own_photos import OwnPhoto, Seen, seen
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.several_photos import PlantAnswer, answer_plant

ONE_PLANT, DIFFERENT = "plant", "different"


def draw_several(
    photos: Sequence[OwnPhoto], current: OwnPhoto | None, bundle: Bundle, numeric_format: str, taxonomy: Taxonomy
) -> None:
    """The question what they show, the answer to all of them, and each with its own answer.

    Args:
        photos: at least two.
        current: the one that the page goes on with.
        bundle: the model.
        numeric_format: of the model, such as `int8`.
        taxonomy: the classes' names.

    Raises:
        BundleError: the model cannot answer.
    """
    titles = {ONE_PLANT: "one plant", DIFFERENT: "different plants"}
    kind = choose_one(f"These {len(photos)} photos show", titles, "several")
    found = [seen(own, bundle, numeric_format) for own in photos]
    if kind == ONE_PLANT:
        plant = answer_plant([each.logits for each in found], bundle.require_calibration(), taxonomy)
        answer_column, photos_column = st.columns((6, 5), gap="large")
        with answer_column:
            draw_answer(plant.prediction, taxonomy)
            draw_candidates(plant.prediction, taxonomy, 3)
        with photos_column:
            st.markdown(together_words(plant, found, [own.name for own in photos], taxonomy))
            _draw_photos(photos, found, plant.odd, current, taxonomy)
    else:
        _draw_photos(photos, found, (), current, taxonomy)
    position = next((place for place, own in enumerate(photos, start=1) if own is current), 1)
    st.header(f"Photo {position} of {len(photos)} alone")


def _draw_photos(
    photos: Sequence[OwnPhoto], found: Sequence[Seen], odd: Sequence[int], current: OwnPhoto | None, taxonomy: Taxonomy
) -> None:
    """Each photo with its own answer, and a way to look at it closer."""
    grid = st.grid(key="photos-several", min_column_width=130, gap=("medium", "small"))
    for place, (own, each) in enumerate(zip(photos, found, strict=True)):
        best = each.prediction.candidates[0]
        name = capital(taxonomy[best.label].name)
        mark = '<br><span class="odd">perhaps another plant</span>' if place in odd else ""
        with grid.cell():
            st.image(own.small, width="stretch", alt=f"Given together: {own.name}, {name}")
            st.html(
                f'<p class="card"><span class="name">{escape(name)}</span> {percent(best.probability)}<br>'
                f'<span class="quiet">{escape(own.name)}</span>{mark}</p>'
            )
            if own is current:
                st.caption("shown below")
            else:
                key = f"closer-{own.sha256[:12]}"
                st.button("Look closer", key=key, type="tertiary", on_click=open_own, args=(own.sha256,))


def together_words(plant: PlantAnswer, found: Sequence[Seen], names: Sequence[str], taxonomy: Taxonomy) -> str:
    """How the photos agree, and which seems to show something else.

    Args:
        plant: the answer to all of them.
        found: what the model makes of each.
        names: of their files.
        taxonomy: the classes' names.
    """
    answer = plant.prediction.candidates[0].label
    said = [each.prediction.candidates[0].label for each in found]
    if plant.odd:
        whose = listed([f"“{_short(names[place])}”" for place in plant.odd], "and")
        what = listed(sorted({taxonomy[said[place]].name for place in plant.odd}), "or")
        verb = "seems" if len(plant.odd) == 1 else "seem"
        return plain(f"The photo {whose} {verb} to show something else: {what}. It counts for little in the answer.")
    agreeing = int(np.sum([label == answer for label in said]))
    if agreeing == len(said):
        return f"All {len(said)} photos say so. Their order does not matter; each counts as a witness of its own."
    others = listed(sorted({taxonomy[label].name for label in said if label != answer}), "and")
    if len(said) == 2:
        return f"The two photos speak for different flowers, the other is {others}. A third photo would decide."
    rest = "The other comes" if len(said) - agreeing == 1 else "The others come"
    return f"{agreeing} of {len(said)} photos say so by themselves. {rest} nearest to {others}, but not clearly."


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:30]}…{name[-8:]}"
