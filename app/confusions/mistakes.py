"""The test photos behind a confusion, most confident mistakes first, a page at a time."""

from html import escape

import streamlit as st

from app import resources
from app.confusions.nearest_training_photos import PER_PAGE as BESIDE_PER_PAGE
from app.confusions.nearest_training_photos import draw_beside
from app.confusions.pair_choice import BESIDE, draw_pair_choice
from app.elements.dataset_offer import offer_download
from app.elements.localization import NO_HUMAN_S, mean_sentence
from app.elements.photo_grid import Card, choose_page, draw_photos, draw_sheet
from app.elements.words import capital, percent
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.evaluation.custom import FIRST_TEST_ID
from flowers_core.evaluation.filters import by_confidence, by_family
from flowers_core.evaluation.report import Mistake, Predictions, mistakes
from flowers_core.explain.records.localization import LocalizationRecord
from flowers_core.inference.bundle import Bundle
from flowers_core.retrieval.gallery import Gallery

# How many photos a page can show; from the second on as a sheet of small ones.
PER_PAGE = (12, 48, 200)


def draw_mistakes(
    bundle: Bundle,
    precision: str,
    predictions: Predictions,
    taxonomy: Taxonomy,
    gallery: Gallery | None = None,
    shares: LocalizationRecord | None = None,
) -> None:
    """Choice of the pair, how many photos there are, and the photos, with what may have led to each.

    shares: says how much of the evidence lay on the flower.
    """
    temperature = resources.temperature(bundle)
    true, called = draw_pair_choice(taxonomy)
    predictions, narrowed = _narrowed(predictions, temperature, taxonomy)
    found = mistakes(predictions, temperature, true_label=true, predicted_label=called)
    st.markdown(_summary(len(found), true, called, predictions, taxonomy) + narrowed)
    if shares is not None and true is not None:
        _draw_share(shares, true, called, taxonomy)
    if not found:
        return
    data = resources.data()
    if BESIDE not in st.session_state and BESIDE not in st.query_params:
        st.session_state[BESIDE] = true is not None and called is not None
    explain = gallery is not None and st.toggle(
        "Beside what may have led to each",
        key=BESIDE,
        bind="query-params",
        on_change=_first_page,
        help="What speaks for the one name rather than the other, and the training photos of both that are most alike.",
    )
    if explain and gallery is not None:
        place = st.container()
        shown = choose_page(found, BESIDE_PER_PAGE)
        with place:
            draw_beside(bundle, precision, gallery, list(shown), taxonomy)
    else:
        _draw_grid(found, taxonomy)
    if data.flowers is None and found[0].photo_id < FIRST_TEST_ID:
        offer_download("mistakes", "The test photos are not on this machine, so their numbers stand in for them.")


def _draw_share(shares: LocalizationRecord, true: int, called: int | None, taxonomy: Taxonomy) -> None:
    """How much of the evidence lay on the flower, over all photos of the class or the pair, whatever the filters."""
    name = taxonomy[true].name
    told = (
        mean_sentence(shares.of_class(true), f"the test photos of {name}")
        if called is None
        else mean_sentence(shares.of_pair(true, called), f"those that INT8 called {taxonomy[called].name}")
    )
    if told:
        st.caption(f"{told} {NO_HUMAN_S}")


@st.fragment
def _draw_grid(found: list[Mistake], taxonomy: Taxonomy) -> None:
    """The photos alone; turning a page leaves the rest of *Confusions* as it is."""
    place = st.container()
    size = PER_PAGE[0]
    if len(found) > size:
        chosen = st.segmented_control(
            "Photos a page",
            PER_PAGE,
            default=size,
            required=True,
            key="many",
            bind="query-params",
            on_change=_first_page,
        )
        size = chosen or size
    shown = choose_page(found, size)
    cards = [_card(mistake, taxonomy) for mistake in shown]
    with place:
        if size > PER_PAGE[0]:
            draw_sheet(cards)
        else:
            draw_photos("mistakes", cards, resources.data().flowers, smallest=100)


def _first_page() -> None:
    st.session_state["page"] = 1


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


def _card(mistake: Mistake, taxonomy: Taxonomy) -> Card:
    true, called = capital(taxonomy[mistake.true_label].name), taxonomy[mistake.predicted_label].name
    name = resources.photo_name(mistake.photo_id)
    return Card(
        photo_id=mistake.photo_id,
        caption=(
            f'<span class="name">{escape(true)}</span><br>called {escape(called)}<br>'
            f'<span class="quiet">{percent(mistake.confidence)} sure<br>{escape(name)}</span>'
        ),
        alt=f"{true}, called {called}, test {name}",
    )
