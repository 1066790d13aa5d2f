"""The part of *Identify* that shows which photos of the data set the model finds alike."""

from collections import Counter
from html import escape

import streamlit as st

from app import resources
from app.elements.dataset_offer import offer_download
from app.elements.photo_grid import Card, draw_photos
from app.elements.words import capital, listed, percent
from app.identify.neighbour_maps import draw_near
from app.resources import Look
from flowers_core.data.photo_ref import PhotoRef, oxford
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.prediction import Prediction
from flowers_core.retrieval.knn import KnnPrediction, knn_predict
from flowers_core.retrieval.neighbour import Neighbour
from flowers_core.retrieval.similarity import ClassSimilarity
from flowers_core.retrieval.user_photos import UNLABELLED, USER_SPLIT, ExtendedGallery, UserPhotos

SPLITS = {"all": "All photos", "train": "Training", "validation": "Validation", "test": "Test", USER_SPLIT: "Yours"}
COUNT = 12
SIMILARITY = (
    "Similarity is the cosine of the angle between what the model makes of two photos; 1 would be the same photo."
)

PAIRS = " “Closer than 95 % of pairs”: so alike are only 5 % of the pairs of photos that are both of that class."


@st.fragment
def draw_neighbours(look: Look, answer: int, photo_id: int | None) -> None:
    """The nearest photos. answer: the label the model gave; photo_id: the photo's own, when it is of the data set."""
    gallery = resources.gallery_with_own(look.bundle)
    if gallery is None:
        st.info(f"The model {look.bundle.name} comes without a gallery, so there is nothing to compare with.")
        return
    own = resources.own_photos(look.bundle)
    taxonomy = resources.taxonomy()
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        split = st.segmented_control(
            "Among",
            [name for name in SPLITS if name != USER_SPLIT or own],
            default="all",
            required=True,
            format_func=SPLITS.__getitem__,
            key="among",
            bind="query-params",
        )
        flower = st.selectbox(
            "Only of",
            [taxon.label for taxon in sorted(taxonomy, key=lambda taxon: taxon.name)],
            index=None,
            format_func=lambda label: taxonomy[label].name,
            key="flower",
            bind="query-params",
            placeholder="any flower",
            filter_mode="contains",
            width=220,
        )
        near = st.toggle(
            "Why near", key="near", bind="query-params", help="Shows what in both photos makes them alike."
        )
    itself = _itself(look, gallery, photo_id)
    embedding = look.forward.embedding[0]
    splits = None if split in (None, "all") else {split}
    nearest = gallery.search(embedding, COUNT, splits=splits, exclude=itself)
    found = (
        nearest if flower is None else gallery.search(embedding, COUNT, splits=splits, labels={flower}, exclude=itself)
    )
    likeness, result = resources.likeness(look.bundle), _vote(look, gallery, itself)
    opinion = vote_sentence(result, answer, taxonomy) if result else second_opinion(nearest, answer, taxonomy)
    left_out = f" {left_out_sentence(itself, look.photo.crop is not None)}" if itself else ""
    st.markdown(f"{opinion} {SIMILARITY}{PAIRS if likeness else ''}{left_out}")
    data = resources.data()
    cards = [_card(neighbour, taxonomy, answer, likeness, own) for neighbour in found]
    if not cards and flower is not None:
        st.info(f"None of these photos shows {taxonomy[flower].name}.")
    elif near:
        draw_near(look, gallery, cards)
    else:
        draw_photos("neighbours", cards, data.flowers)
    if data.flowers is None:
        offer_download(
            "neighbours", "Photos of the data set are not on this machine, so their numbers stand in for them."
        )


def doubt(look: Look, prediction: Prediction, photo_id: int | None) -> str:
    """What to say beside an answer given with confidence where the nearest known photos show something else; else "".

    Most such answers are right all the same; but a picture of no flower at all that passes for one stands out so.
    """
    gallery = resources.gallery_with_own(look.bundle)
    if gallery is None or prediction.verdict == "unsure":
        return ""
    result, taxonomy = _vote(look, gallery, _itself(look, gallery, photo_id)), resources.taxonomy()
    if result is None or result.label in prediction.plausible:
        return ""
    return f"The known photos that yours resembles most show {taxonomy[result.label].name} instead; compare them below."


def _itself(look: Look, gallery: ExtendedGallery, photo_id: int | None) -> set[PhotoRef]:
    """The numbers in the gallery of the photo that is looked at, or of the one that it is a part of."""
    part = look.photo.crop
    known = gallery.photos_of(part.whole if part else look.photo.sha256)
    return {*known, *(() if photo_id is None else (oxford(photo_id),))}


def _vote(look: Look, gallery: ExtendedGallery, itself: set[PhotoRef]) -> KnnPrediction | None:
    rule = resources.vote_rule(look.bundle)
    voters = gallery.search(look.forward.embedding[0], rule.k, splits=rule.splits, exclude=itself) if rule else []
    return knn_predict(voters, rule, len(resources.taxonomy())) if rule and voters else None


def vote_sentence(result: KnnPrediction, answer: int, taxonomy: Taxonomy) -> str:
    """What the nearest training photos say, how sure that is, and whether the model says so too."""
    named = f"**{taxonomy[result.label].name}** ({percent(result.probability)} sure)"
    said = (
        "as the model says"
        if result.agrees_with(answer)
        else f"where the model says {taxonomy[answer].name}: the two disagree"
    )
    return f"A second opinion: the {result.neighbours} nearest training photos speak for {named}, {said}."


def left_out_sentence(itself: set[PhotoRef], part: bool = False) -> str:
    """Which photos of the data set are not among the neighbours, since they are the photo asked about, or it is a part
    of them."""
    numbers = listed([str(photo) for photo in sorted(itself)], "and")
    this = "This is part of" if part else "This is"
    return (
        f"{this} photo {numbers} of the data set, which is left out."
        if len(itself) == 1
        else f"{this} photo {numbers} of the data set, the same file more than once; they are left out."
    )


def second_opinion(found: list[Neighbour], answer: int, taxonomy: Taxonomy) -> str:
    """Whether the nearest photos bear the answer out; found: at least one."""
    found = [neighbour for neighbour in found if neighbour.label != UNLABELLED]
    if not found:
        return "Of none of the nearest is it said what it shows."
    counts = Counter(neighbour.label for neighbour in found)
    label, count = counts.most_common(1)[0]
    if counts[answer] == count:
        return f"{count} of the {len(found)} nearest are labelled **{taxonomy[answer].name}**, as the model says."
    return (
        f"{count} of the {len(found)} nearest are labelled **{taxonomy[label].name}** and "
        f"{counts[answer] or 'none'} {taxonomy[answer].name}: the neighbours and the model disagree."
    )


def closeness(share: float) -> str:
    """How many pairs of the class are farther apart, in words that fit on a card."""
    if share in (0, 1):
        return "closer than all pairs" if share else "farther than all pairs"
    told = percent(share)
    if not told[0].isdigit():
        return "closer than nearly all pairs" if share > 0.5 else "farther than nearly all pairs"
    return f"closer than {told} of pairs"


def _card(
    neighbour: Neighbour, taxonomy: Taxonomy, answer: int, likeness: ClassSimilarity | None, own: UserPhotos | None
) -> Card:
    share = likeness.level_of(neighbour.label, neighbour.similarity) if likeness else None
    pairs = "" if share is None else f"<br>{closeness(share)}"
    if neighbour.split == USER_SPLIT:
        return _own_card(neighbour, taxonomy, own)
    name = capital(taxonomy[neighbour.label].name)
    split = SPLITS[neighbour.split].lower()
    return Card(
        photo_id=neighbour.photo_id,
        caption=(
            f'<span class="name{" same" if neighbour.label == answer else ""}">{escape(name)}</span><br>'
            f'<span class="quiet">similarity {neighbour.similarity:.2f}{pairs}<br>'
            f"{split} photo {neighbour.photo_id}</span>"
        ),
        alt=f"{name}, {split} photo {neighbour.photo_id}",
    )


def _own_card(neighbour: Neighbour, taxonomy: Taxonomy, own: UserPhotos | None) -> Card:
    path = own.path_of(neighbour.photo_id) if own else None
    name = capital(taxonomy[neighbour.label].name) if neighbour.label != UNLABELLED else "One of yours"
    file_name = path.name if path else f"no. {neighbour.photo_id}"
    return Card(
        photo_id=neighbour.photo_id,
        caption=(
            f'<span class="name">{escape(name)}</span><br>'
            f'<span class="quiet">similarity {neighbour.similarity:.2f}<br>{escape(file_name)}</span>'
        ),
        alt=f"{name}, your photo {file_name}",
        own=path,
    )
