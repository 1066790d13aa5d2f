"""The part of *Identify* that shows which photos of the data set the model finds alike."""

from collections import Counter
from html import escape

import streamlit as st

from app import resources
from app.resources import Look
from app.widgets.dataset_offer import offer_download
from app.widgets.photo_grid import Card, draw_photos
from app.widgets.words import capital
from flowers_core.gallery import Neighbour
from flowers_core.taxonomy import Taxonomy

SPLITS = {"all": "All photos", "train": "Training", "validation": "Validation", "test": "Test"}
COUNT = 12
SIMILARITY = (
    "Similarity is the cosine of the angle between what the model makes of two photos; 1 would be the same photo."
)


@st.fragment
def draw_neighbours(look: Look, answer: int, photo_id: int | None) -> None:
    """The nearest photos. answer: the label the model gave; photo_id: the photo's own, when it is of the data set."""
    gallery = resources.gallery(look.bundle)
    if gallery is None:
        st.info(f"The model {look.bundle.name} comes without a gallery, so there is nothing to compare with.")
        return
    split = st.segmented_control(
        "Among",
        list(SPLITS),
        default="all",
        required=True,
        format_func=SPLITS.__getitem__,
        key="among",
        bind="query-params",
    )
    found = gallery.search(
        look.forward.embedding[0],
        COUNT,
        splits=None if split in (None, "all") else {split},
        exclude=() if photo_id is None else (photo_id,),
    )
    taxonomy = resources.taxonomy()
    st.markdown(second_opinion(found, answer, taxonomy) + " " + SIMILARITY)
    data = resources.data()
    draw_photos("neighbours", [_card(neighbour, taxonomy, answer) for neighbour in found], data.flowers)
    if data.flowers is None:
        offer_download(
            "neighbours", "Photos of the data set are not on this machine, so their numbers stand in for them."
        )


def second_opinion(found: list[Neighbour], answer: int, taxonomy: Taxonomy) -> str:
    """Whether the nearest photos bear the answer out; found: at least one."""
    counts = Counter(neighbour.label for neighbour in found)
    label, count = counts.most_common(1)[0]
    if counts[answer] == count:
        return f"{count} of the {len(found)} nearest are labelled **{taxonomy[answer].name}**, as the model says."
    return (
        f"{count} of the {len(found)} nearest are labelled **{taxonomy[label].name}** and "
        f"{counts[answer] or 'none'} {taxonomy[answer].name}: the neighbours and the model disagree."
    )


def _card(neighbour: Neighbour, taxonomy: Taxonomy, answer: int) -> Card:
    name = capital(taxonomy[neighbour.label].name)
    split = SPLITS[neighbour.split].lower()
    return Card(
        photo_id=neighbour.photo_id,
        caption=(
            f'<span class="name{" same" if neighbour.label == answer else ""}">{escape(name)}</span><br>'
            f'<span class="quiet">similarity {neighbour.similarity:.2f}<br>{split} photo {neighbour.photo_id}</span>'
        ),
        alt=f"{name}, {split} photo {neighbour.photo_id}",
    )
