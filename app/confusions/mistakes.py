"""The test photos behind a confusion, most confident mistakes first, a page at a time."""

from html import escape

import streamlit as st

from app.confusions.nearest_training_photos import PER_PAGE as BESIDE_PER_PAGE
from app.confusions.nearest_training_photos import draw_beside
from app.confusions.pair_choice import BESIDE, MISTAKES, draw_pair_choice
from app.confusions.predictions_choice import ChosenPredictions
from app.confusions.shared_concepts import draw_shared_concepts
from app.confusions.taught import draw_taught
from app.elements.choices import choose_one
from app.elements.dataset_offer import offer_download
from app.elements.localization import NO_HUMAN_S, mean_sentence
from app.elements.pagination import choose_page, first_page
from app.elements.photo_grid import Card, draw_cards, draw_sheet
from app.elements.words import capital, percent
from app.resources import galleries, models
from app.resources.data import photo_name, photos_here
from app.resources.model_pictures import class_picture
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError
from flowers_core.evaluation.predictions import Predictions, by_confidence, by_family
from flowers_core.evaluation.report import Mistake, mistakes
from flowers_core.explain.records.localization import LocalizationRecord
from flowers_core.inference.bundle import Bundle
from flowers_core.retrieval.gallery import Gallery

# How many photos a page can show; from the second on as a sheet of small ones.
PER_PAGE = (12, 48, 200)


def draw_mistakes(
    chosen: ChosenPredictions, taxonomy: Taxonomy, localization: LocalizationRecord | None = None
) -> None:
    """The choice of the pair, how many photos there are, and the photos, with what may have led to each.

    Args:
        chosen: the predictions to look at.
        taxonomy: the classes' names.
        localization: how much of the evidence lay on the flower, where it was measured.
    """
    temperature = models.temperature(chosen.bundle)
    true, called = draw_pair_choice(taxonomy)
    predictions, narrowed = _narrowed(chosen.predictions, temperature, taxonomy)
    found = mistakes(predictions, temperature, true_label=true, predicted_label=called)
    st.markdown(_summary(len(found), true, called, predictions, taxonomy) + narrowed)
    if localization is not None and true is not None:
        _draw_localization(localization, true, called, taxonomy)
    if true is not None and called is not None:
        draw_shared_concepts(chosen.bundle, true, called, taxonomy)
    if not found:
        return
    if BESIDE not in st.session_state and BESIDE not in st.query_params:
        st.session_state[BESIDE] = true is not None and called is not None
    gallery = None if chosen.test_set else _gallery(chosen.bundle)
    if gallery is not None and st.toggle(
        "Beside what may have led to each",
        key=BESIDE,
        bind="query-params",
        on_change=first_page,
        args=(MISTAKES,),
        help="What speaks for the one name rather than the other, and the training photos of both that are most alike.",
    ):
        place = st.container()
        shown = choose_page(MISTAKES, found, BESIDE_PER_PAGE)
        with place:
            draw_beside(chosen.bundle, chosen.numeric_format, gallery, list(shown), taxonomy)
    else:
        _draw_grid(found, chosen.bundle, taxonomy)
    draw_taught(chosen.bundle, chosen.predictions, found, taxonomy)
    photo_set = chosen.bundle.photo_set
    if chosen.test_set is None and not photos_here(photo_set):
        offer_download(
            "mistakes",
            "The test photos are not on this machine; their numbers or the model’s own pictures stand in for them.",
            photo_set,
        )


def _gallery(bundle: Bundle) -> Gallery | None:
    try:
        return galleries.gallery(bundle)
    except FlowersError:
        return None  # the mistakes stand without what resembles them


def _draw_localization(record: LocalizationRecord, true: int, called: int | None, taxonomy: Taxonomy) -> None:
    """How much of the evidence lay on the flower, over all photos of the class or the pair, whatever the filters."""
    name = taxonomy[true].name
    sentence = (
        mean_sentence(record.of_class(true), f"the test photos of {name}")
        if called is None
        else mean_sentence(record.of_pair(true, called), f"those that INT8 called {taxonomy[called].name}")
    )
    if sentence:
        st.caption(f"{sentence} {NO_HUMAN_S}")


@st.fragment
def _draw_grid(found: list[Mistake], bundle: Bundle, taxonomy: Taxonomy) -> None:
    """The photos alone; turning a page leaves the rest of *Confusions* as it is."""
    place = st.container()
    size = PER_PAGE[0]
    if len(found) > size:
        titles = {count: str(count) for count in PER_PAGE}
        size = choose_one("Photos a page", titles, "many", on_change=lambda: first_page(MISTAKES))
    cards = [_card(mistake, bundle, taxonomy) for mistake in choose_page(MISTAKES, found, size)]
    with place:
        if size > PER_PAGE[0]:
            draw_sheet(cards)
        else:
            draw_cards("mistakes", cards, smallest=100)


def _narrowed(predictions: Predictions, temperature: float, taxonomy: Taxonomy) -> tuple[Predictions, str]:
    """The photos that the filters leave, and the sentence that says which those are: empty for all."""
    with st.popover("Filter", icon=":material/filter_alt:"):
        family = st.selectbox(
            "Family",
            sorted({taxon.family for taxon in taxonomy}),
            index=None,
            key="family",
            bind="query-params",
            placeholder="any family",
            filter_mode="contains",
        )
        low, high = st.slider(
            "How sure the model was", 0, 100, (0, 100), format="%d %%", key="certainty", bind="query-params"
        )
    said = []
    if family:
        predictions = by_family(predictions, {family}, taxonomy)
        said.append(f"of the family {family}")
    if (low, high) != (0, 100):
        predictions = by_confidence(predictions, temperature, low / 100, high / 100)
        said.append(f"given {low} to {high} % certainty")
    return predictions, f" Only photos {' and '.join(said)} are counted." if said else ""


def _summary(count: int, true: int | None, called: int | None, predictions: Predictions, taxonomy: Taxonomy) -> str:
    verb = "was" if count == 1 else "were"
    shown = "test photos" if true is None else f"test photos of {taxonomy[true].name}"
    total = len(predictions) if true is None else int((predictions.labels == true).sum())
    name = "given another name" if called is None else f"wrongly called {taxonomy[called].name}"
    return f"**{count}** of {total:,} {shown} {verb} {name}{', most confident first' if count > 1 else ''}."


def _card(mistake: Mistake, bundle: Bundle, taxonomy: Taxonomy) -> Card:
    true, called = capital(taxonomy[mistake.true_label].name), taxonomy[mistake.predicted_label].name
    name = photo_name(mistake.photo)
    return Card(
        photo=mistake.photo,
        caption=(
            f'<span class="name">{escape(true)}</span><br>called {escape(called)}<br>'
            f'<span class="quiet">{percent(mistake.confidence)} sure<br>{escape(name)}</span>'
        ),
        alt=f"{true}, called {called}, test {name}",
        stand_in=class_picture(bundle, mistake.true_label),
    )
