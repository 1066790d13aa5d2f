"""Where two models, or two precisions of one, name a test photo differently: both answers, both maps, side by side."""

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from app.elements.choices import choose_one
from app.elements.csv_button import offer_csv
from app.elements.dataset_offer import offer_download
from app.elements.pagination import choose_page, first_page
from app.elements.photo_grid import Card, draw_cards
from app.elements.small_map import small_map
from app.elements.words import capital, percent
from app.resources import models, records
from app.resources.data import photos_here
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError
from flowers_core.evaluation.comparison import Disagreement, disagreements
from flowers_core.inference.bundle import Bundle

PER_PAGE = 4
_LIST = "disagreements"
SIDES = {"all": "All", "before": "First is right", "after": "Second is right", "neither": "Neither is right"}
Answering = tuple[Bundle, str]


def draw_disagreements(bundle: Bundle) -> None:
    """Choice of the two, one sentence, and the photos, those on which both are surest first.

    Args:
        bundle: the model that one of the two is.
    """
    st.markdown("The same test photo, two models or two precisions of one, two names: what each saw in it.")
    known = {
        f"{other.name}, {name}": (other, name)
        for other in records.comparable(bundle)
        for name in records.readable_formats(other)
    }
    if len(known) < 2:
        st.info("It takes two evaluated models, or two precisions of one, to disagree.")
        return
    names = list(known)
    mine = [name for name in names if known[name][0].name == bundle.name]
    if not mine:
        st.info(f"What {bundle.name} says of the test photos is not on record.")
        return
    one, other = first_pair([*mine, *(name for name in names if name not in mine)])
    if st.session_state.get("first") not in (None, *mine):
        # Another model was chosen above.
        st.session_state["first"], st.session_state["second"] = one, other
    left, right = st.columns(2)
    first = left.selectbox("First", mine, index=mine.index(one), key="first", bind="query-params")
    second = right.selectbox("Second", names, index=names.index(other), key="second", bind="query-params")
    if first == second:
        st.info("Choose two different models or precisions.")
        return
    try:
        found = _found(known[first], known[second])
    except FlowersError as error:
        st.error(str(error), icon=":material/error:")
        return
    total = len(records.predictions(*known[first]))
    st.markdown(disagreement_sentence(found, total, first, second))
    if not found:
        return
    side = choose_one("Photos", SIDES, "side", on_change=lambda: first_page(_LIST))
    shown = [item for item in found if side in ("all", item.right)]
    taxonomy = max(known[first][0].taxonomy, known[second][0].taxonomy, key=len)
    place = st.container()
    page = choose_page(_LIST, shown, PER_PAGE)
    with place:
        for item in page:
            _draw(item, (first, known[first]), (second, known[second]), taxonomy)
    offer_csv(disagreement_table(found, first, second, taxonomy), f"{first}-against-{second}.csv".replace(", ", "-"))
    if not photos_here(bundle.photo_set):
        offer_download(
            "disagreements",
            "The test photos are not on this machine, so their numbers stand in for them.",
            bundle.photo_set,
        )


def first_pair(names: Sequence[str]) -> tuple[str, str]:
    """Float against INT8 of the default model where both are on record, else the first two."""
    model = names[0].split(", ")[0]
    wanted = (f"{model}, float32", f"{model}, int8")
    return wanted if set(wanted) <= set(names) else (names[0], names[1])


def disagreement_sentence(found: Sequence[Disagreement], photos: int, first: str, second: str) -> str:
    """On how many photos the two differ, and who is right there.

    Args:
        found: the photos that the two name differently.
        photos: number of test photos.
        first: the first model's name.
        second: the second model's name.
    """
    if not found:
        return f"{first} and {second} give every one of the {photos:,} test photos the same name."
    right = [sum(item.right == side for item in found) for side in ("before", "after", "neither")]
    verb = "goes" if right[0] == 1 else "go"
    return (
        f"They name **{len(found)}** of {photos:,} test photos differently ({100 * len(found) / photos:.1f} %). "
        f"Of these {right[0]} {verb} to {first}, {right[1]} to {second}, and on {right[2]} both are wrong."
    )


def disagreement_table(found: Sequence[Disagreement], first: str, second: str, taxonomy: Taxonomy) -> pd.DataFrame:
    """One row a photo.

    Args:
        found: the photos that the two name differently.
        first: the first model's name.
        second: the second model's name.
        taxonomy: the classes' names.
    """
    return pd.DataFrame(
        [
            {
                "photo": item.photo_id,
                "class": taxonomy[item.true_label].name,
                first: taxonomy[item.before].name,
                f"{first}: confidence": round(item.confidence_before, 4),
                second: taxonomy[item.after].name,
                f"{second}: confidence": round(item.confidence_after, 4),
                "right": {"before": first, "after": second, "neither": ""}[item.right],
            }
            for item in found
        ]
    )


def _draw(item: Disagreement, first: tuple[str, Answering], second: tuple[str, Answering], taxonomy: Taxonomy) -> None:
    photo, true = first[1][0].photo_set.ref(item.photo_id), capital(taxonomy[item.true_label].name)
    cards = [
        Card(
            photo,
            f'<span class="name">{escape(true)}</span><br><span class="quiet">test photo {item.photo_id}</span>',
            f"{true}, test photo {item.photo_id}",
        )
    ]
    answers = ((first, item.before, item.confidence_before), (second, item.after, item.confidence_after))
    for (name, (bundle, precision)), label, confidence in answers:
        called = taxonomy[label].name
        mark = '<span class="same">right</span>' if label == item.true_label else "wrong"
        cards.append(
            Card(
                photo,
                f'<span class="name">{escape(capital(called))}</span> · {mark}<br>{percent(confidence)} sure<br>'
                f'<span class="quiet">{escape(name)}</span>',
                f"What speaks for {called} to {name} in test photo {item.photo_id}",
                painted=small_map(photo, bundle, precision, label),
                link=False,
            )
        )
    draw_cards(f"differ-{item.photo_id}", cards, smallest=160)


def _found(first: Answering, second: Answering) -> tuple[Disagreement, ...]:
    return disagreements(
        records.predictions(*first),
        records.predictions(*second),
        models.temperature(first[0]),
        models.temperature(second[0]),
    )
