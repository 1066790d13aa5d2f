"""The part of *Identify* that shows which known photos the model finds similar."""

from collections import Counter
from collections.abc import Collection
from html import escape

import streamlit as st

from app.elements.choices import by_name, choose_flower, choose_one
from app.elements.dataset_offer import offer_download
from app.elements.photo_grid import Card, draw_cards
from app.elements.told import told
from app.elements.words import capital, listed, percent
from app.identify.gallery_neighbours import GALLERY, TITLE, draw_gallery_neighbours, gallery_is_there
from app.identify.identified import Identified
from app.identify.neighbour_maps import draw_neighbour_maps
from app.resources import galleries
from app.resources.data import photo_name, photos_here
from app.resources.model_pictures import class_picture
from flowers_core.data.dataset import SPLITS as DATA_SPLITS
from flowers_core.data.photo_ref import DATA_SETS, PhotoRef
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.bundle import Bundle
from flowers_core.retrieval.knn import KnnPrediction
from flowers_core.retrieval.neighbour import Neighbour
from flowers_core.retrieval.similarity import ClassSimilarity
from flowers_core.retrieval.user_photos import UNLABELLED, USER_SPLIT, ExtendedGallery

SPLITS = {"all": "All photos", "train": "Training", "validation": "Validation", "test": "Test", USER_SPLIT: "Yours"}
COUNT = 12
SIMILARITY = (
    "Similarity is the cosine of the angle between what the model makes of two photos; 1 would be the same photo."
)
PAIRS = " “Closer than 95 % of pairs”: so alike are only 5 % of the pairs of photos that are both of that class."


@st.fragment
@told()
def draw_neighbours(identified: Identified) -> None:
    """The nearest photos, and what the nearest training photos say of the answer."""
    bundle, gallery = identified.inference.bundle, identified.gallery
    large = gallery_is_there(identified)
    if gallery is None and not large:
        st.info(f"The model {bundle.name} comes without a gallery, so there is nothing to compare with.")
        return
    taxonomy = bundle.taxonomy
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        split = choose_one("Among", _offered(gallery, large), "among")
        flower = choose_flower("Only of", by_name(taxonomy), taxonomy, "flower", anything="any flower", width=220)
        if gallery is None or split == GALLERY:
            with_maps = False
        else:
            with_maps = st.toggle(
                "Why near", key="near", bind="query-params", help="Shows what in both photos makes them alike."
            )
    if gallery is None or split == GALLERY:
        draw_gallery_neighbours(identified, flower)
        return
    embedding = identified.inference.forward.embedding[0]
    splits = None if split == "all" else {split}
    nearest = gallery.search(embedding, COUNT, splits=splits, exclude=identified.itself)
    found = (
        nearest
        if flower is None
        else gallery.search(embedding, COUNT, splits=splits, labels={flower}, exclude=identified.itself)
    )
    similarity = galleries.class_similarity(bundle)
    opinion = (
        knn_sentence(identified.knn, identified.label, taxonomy)
        if identified.knn
        else count_sentence(nearest, identified.label, taxonomy)
    )
    part = identified.inference.photo.crop is not None
    left_out = f" {left_out_sentence(identified.itself, part)}" if identified.itself else ""
    st.markdown(f"{opinion} {SIMILARITY}{PAIRS if similarity else ''}{left_out}")
    cards = [_card(neighbour, bundle, identified.label, similarity) for neighbour in found]
    if not cards and flower is not None:
        st.info(f"None of these photos shows {taxonomy[flower].name}.")
    elif with_maps:
        draw_neighbour_maps(identified.inference, gallery, cards)
    else:
        draw_cards("neighbours", cards)
    if not photos_here(bundle.photo_set):
        offer_download(
            "neighbours",
            "Photos of the data set are not on this machine.",
            bundle.photo_set,
        )


def _offered(gallery: ExtendedGallery | None, large: bool) -> dict[str, str]:
    """The choices among which photos to look: those of the model's gallery, and a large one."""
    own = gallery is not None and gallery.user is not None
    known = {} if gallery is None else {name: title for name, title in SPLITS.items() if name != USER_SPLIT or own}
    return known | ({GALLERY: TITLE} if large else {})


def doubt(identified: Identified, taxonomy: Taxonomy) -> str:
    """What to say beside a confident answer where the nearest known photos show something else.

    Most such answers are right all the same; but a picture of no flower at all that passes for one stands out so.

    Args:
        identified: the photo, the model's answer and the neighbours.
        taxonomy: the classes' names.

    Returns:
        A sentence; "" where there is no doubt.
    """
    prediction = identified.prediction
    if prediction.verdict == "unsure" or identified.knn is None or identified.knn.label in prediction.plausible:
        return ""
    name = taxonomy[identified.knn.label].name
    return f"The known photos that yours resembles most show {name} instead; compare them below."


def knn_sentence(result: KnnPrediction, answer: int, taxonomy: Taxonomy) -> str:
    """What the nearest training photos say, how sure that is, and whether the model says so too.

    Args:
        result: the k-NN prediction.
        answer: the model's label.
        taxonomy: the classes' names.
    """
    many = result.neighbours > 1
    # One neighbour is never in two minds, so its vote says nothing of how sure it is.
    sure = f" ({percent(result.probability)} sure)" if many else ""
    named = f"**{taxonomy[result.label].name}**{sure}"
    said = (
        "as the model says"
        if result.agrees_with(answer)
        else f"where the model says {taxonomy[answer].name}: the two disagree"
    )
    photos = f"the {result.neighbours} nearest training photos speak" if many else "the nearest training photo speaks"
    return f"A second opinion: {photos} for {named}, {said}."


def left_out_sentence(itself: Collection[PhotoRef], part: bool = False) -> str:
    """Which known photos are left out of the neighbours: they are the photo at hand, or it is a part of them.

    Args:
        itself: those photos, at least one.
        part: whether the photo at hand is a part of them.
    """
    this = "This is part of" if part else "This is"
    numbers = [str(photo.id) for photo in sorted(itself) if photo.source in DATA_SETS]
    if not numbers:
        return f"{this} one of your own photos, which is left out."
    photos = f"{this} photo {listed(numbers, 'and')} of the data set"
    if len(itself) == 1:
        return f"{photos}, which is left out."
    return f"{photos}, the same file more than once; they are left out."


def count_sentence(found: list[Neighbour], answer: int, taxonomy: Taxonomy) -> str:
    """How many of the nearest photos bear the answer out.

    Args:
        found: the nearest photos, at least one.
        answer: the model's label.
        taxonomy: the classes' names.
    """
    found = [neighbour for neighbour in found if neighbour.label != UNLABELLED]
    if not found:
        return "Of none of the nearest is it said what it shows."
    counts = Counter(neighbour.label for neighbour in found)
    label, count = counts.most_common(1)[0]
    if len(found) == 1:
        says = "as the model says" if label == answer else "not what the model says"
        return f"The nearest is labelled **{taxonomy[label].name}**, {says}."
    if counts[answer] == count:
        return f"{count} of the {len(found)} nearest are labelled **{taxonomy[answer].name}**, as the model says."
    return (
        f"{count} of the {len(found)} nearest are labelled **{taxonomy[label].name}** and "
        f"{counts[answer] or 'none'} {taxonomy[answer].name}: the neighbours and the model disagree."
    )


def closeness(level: float) -> str:
    """How many pairs of the class are less similar, in words that fit on a card. level: in [0, 1]."""
    if level in (0, 1):
        return "closer than all pairs" if level else "farther than all pairs"
    told = percent(level)
    if not told[0].isdigit():
        return "closer than nearly all pairs" if level > 0.5 else "farther than nearly all pairs"
    return f"closer than {told} of pairs"


def known_photo(neighbour: Neighbour, bundle: Bundle) -> str:
    """What a photo of the data set is called: by its split, unless the model has learnt the photos of every split.

    Args:
        neighbour: the photo.
        bundle: the model that finds it similar.
    """
    apart = set(bundle.fitted_splits) < set(DATA_SPLITS)
    return f"{SPLITS[neighbour.split].lower()} photo {neighbour.photo_id}" if apart else f"photo {neighbour.photo_id}"


def _card(neighbour: Neighbour, bundle: Bundle, answer: int, similarity: ClassSimilarity | None) -> Card:
    taxonomy = bundle.taxonomy
    cosine = f"similarity {neighbour.similarity:.2f}"
    if neighbour.split == USER_SPLIT:
        name = capital(taxonomy[neighbour.label].name) if neighbour.label != UNLABELLED else "One of yours"
        file_name = photo_name(neighbour.photo)
        return Card(
            photo=neighbour.photo,
            caption=(
                f'<span class="name">{escape(name)}</span><br>'
                f'<span class="quiet">{cosine}<br>{escape(file_name)}</span>'
            ),
            alt=f"{name}, your photo {file_name}",
        )
    level = similarity.level_of(neighbour.label, neighbour.similarity) if similarity else None
    pairs = "" if level is None else f"<br>{closeness(level)}"
    name = capital(taxonomy[neighbour.label].name)
    photo = known_photo(neighbour, bundle)
    return Card(
        photo=neighbour.photo,
        caption=(
            f'<span class="name{" same" if neighbour.label == answer else ""}">{escape(name)}</span><br>'
            f'<span class="quiet">{cosine}{pairs}<br>{photo}</span>'
        ),
        alt=f"{name}, {photo}",
        stand_in=class_picture(bundle, neighbour.label),
    )
