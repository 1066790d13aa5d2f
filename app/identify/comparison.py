"""The photo at hand beside another of the visitor's: both answers, how alike they are, and what makes them so."""

import numpy as np
import streamlit as st
from PIL import Image

from app.elements.small_map import SIDE, painted
from app.elements.words import capital, percent, plain
from app.identify.identified import Identified
from app.identify.neighbour_maps import READING
from app.identify.neighbours import closeness
from app.identify.own_tray import stop_comparing
from app.resources import galleries, session
from app.resources.own_photos import OwnPhoto
from app.resources.session import Inference
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.attributions.cam import neighbour_similarity
from flowers_core.inference.prediction import Prediction
from flowers_core.retrieval.similarity import ClassSimilarity

# What stands for the other photo in a map's target, which otherwise names a known photo by its number.
_OTHER = 0


def draw_comparison(identified: Identified, name: str, other: OwnPhoto, taxonomy: Taxonomy) -> None:
    """Two photos side by side, with the spots of both that make them alike.

    Args:
        identified: the photo at hand.
        name: of its file.
        other: the other photo.
        taxonomy: the classes' names.
    """
    mine = identified.inference
    theirs = session.infer(other.open(), mine.bundle, mine.numeric_format)
    answers = identified.prediction, session.answer(theirs).prediction
    cosine = float(_unit(mine.forward.embedding[0]) @ _unit(theirs.forward.embedding[0]))
    st.header("Beside your other photo")
    st.markdown(comparison_words(*answers, cosine, galleries.class_similarity(mine.bundle), taxonomy))
    for place, here, there, called, answer in zip(
        st.columns(2, gap="medium"), (mine, theirs), (theirs, mine), (name, other.name), answers, strict=True
    ):
        best = answer.candidates[0]
        words = f"{capital(taxonomy[best.label].name)}, {percent(best.probability)} probable"
        with place:
            st.image(_map(here, there), width="stretch", alt=f"What in {called} is like the other photo")
            st.caption(f"**{words}** · {plain(called)}")
    st.caption(READING.partition(". ")[2])
    st.button("Stop comparing", icon=":material/close:", key="stop-comparing", on_click=stop_comparing)


def comparison_words(
    mine: Prediction, other: Prediction, cosine: float, similarity: ClassSimilarity | None, taxonomy: Taxonomy
) -> str:
    """What the two answers and their likeness say together.

    Args:
        mine: the answer to the photo at hand.
        other: the answer to the other.
        cosine: of the two embeddings, −1…1.
        similarity: how alike two photos of a class are to the model, where that is known.
        taxonomy: the classes' names.
    """
    label, another = mine.candidates[0].label, other.candidates[0].label
    alike = f"Their similarity is {cosine:.2f}"
    if label != another:
        named = f"{taxonomy[label].name} in this photo and {taxonomy[another].name} in the other"
        return f"The model sees {named}. {alike}; 1 would be the same photo."
    level = similarity.level_of(label, cosine) if similarity else None
    of_class = "; 1 would be the same photo." if level is None else f", {closeness(level)} of {taxonomy[label].name}."
    return f"The model sees {taxonomy[label].name} in both. {alike}{of_class}"


def _map(here: Inference, there: Inference) -> np.ndarray:
    """A photo with what in it makes it like the other, (h, w, 3) uint8."""
    explanation = neighbour_similarity(
        here.forward.features[0],
        there.forward.embedding[0],
        _OTHER,
        box=here.seen.box,
        photo_size=(here.photo.width, here.photo.height),
    )
    image = Image.fromarray(here.photo.pixels)
    image.thumbnail((2 * SIDE, 2 * SIDE))
    return painted(np.asarray(image), explanation)


def _unit(embedding: np.ndarray) -> np.ndarray:
    return embedding / max(float(np.linalg.norm(embedding)), 1e-12)
