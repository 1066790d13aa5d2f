"""What this model fixed and broke against another one: figures, classes and photos."""

from html import escape

import pandas as pd
import streamlit as st

from app.elements.choices import choose_one
from app.elements.csv_button import offer_csv
from app.elements.photo_grid import Card, draw_cards
from app.elements.words import capital
from app.resources import records
from app.resources.model_pictures import class_picture
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError
from flowers_core.evaluation.comparison import Change, Comparison, compare
from flowers_core.evaluation.predictions import Predictions
from flowers_core.inference.bundle import Bundle

SHOWN = 12
# Below this the difference is called more than luck.
LUCK = 0.05


def draw_comparison(bundle: Bundle, numeric_format: str, predictions: Predictions, taxonomy: Taxonomy) -> None:
    """The choice of the other model, what changed, in which classes, and the photos.

    Args:
        bundle: the model.
        numeric_format: of the model, such as `int8`.
        predictions: the model's, for the test photos.
        taxonomy: the classes' names.
    """
    others = {
        f"{other.name}, {kept}": (other, kept)
        for other in records.comparable(bundle)
        for kept in records.readable_formats(other)
        if (other.name, kept) != (bundle.name, numeric_format)
    }
    if not others:
        st.info("There is no other model on record to compare with.")
        return
    chosen = st.selectbox(
        "Compare with", list(others), index=None, key="compare-with", bind="query-params", placeholder="another model"
    )
    if chosen is None:
        st.markdown("Choose another model or precision, and see which photos this one names rightly and that one not.")
        return
    try:
        found = compare(records.predictions(*others[chosen]), predictions)
    except FlowersError as error:
        st.error(str(error), icon=":material/error:")
        return
    taxonomy = max(taxonomy, others[chosen][0].taxonomy, key=len)
    st.markdown(comparison_sentence(found, chosen))
    table = class_changes(found, taxonomy)
    if table.empty:
        return
    st.dataframe(table, hide_index=True, height=240, alt="Photos fixed and broken by class, most gained first")
    which = choose_one("Photos", {"fixed": "fixed", "broken": "broken"}, "changed")
    changes = found.broken if which == "broken" else found.fixed
    draw_cards("changes", [_card(change, taxonomy, bundle) for change in changes[:SHOWN]])
    if len(changes) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(changes)}; the table to download has them all.")
    other = chosen.replace(", ", "-")
    offer_csv(change_table(found, taxonomy), f"{bundle.name}-{numeric_format}-against-{other}.csv")


def comparison_sentence(found: Comparison, other: str) -> str:
    """How many photos were won and lost, and whether that is more than luck.

    Args:
        found: the photos on which one of the two is right.
        other: the other model's name.
    """
    if not found.fixed and not found.broken:
        return f"On {found.photos:,} photos this model is right and wrong where {other} is."
    luck = (
        f"so uneven a split would be luck less than once in {1 / found.p_value:,.0f} times"
        if found.p_value < LUCK
        else "so uneven a split may well be luck"
    )
    return (
        f"Of {found.photos:,} photos this model gets **{len(found.fixed)}** right that {other} gets wrong, and "
        f"**{len(found.broken)}** wrong that it gets right: {100 * found.gain:+.2f} points. If the two were equally "
        f"good, {luck} (exact McNemar test, p = {found.p_value:.2g})."
    )


def class_changes(found: Comparison, taxonomy: Taxonomy) -> pd.DataFrame:
    """One row a class in which anything changed, largest gain first.

    Args:
        found: the photos on which one of the two is right.
        taxonomy: the classes' names.
    """
    return pd.DataFrame(
        [
            {"class": taxonomy[row.label].name, "fixed": row.fixed, "broken": row.broken, "gained": row.net}
            for row in found.by_class()
        ]
    )


def change_table(found: Comparison, taxonomy: Taxonomy) -> pd.DataFrame:
    """One row a photo that was fixed or broken.

    Args:
        found: the photos on which one of the two is right.
        taxonomy: the classes' names.
    """
    return pd.DataFrame(
        [
            {
                "photo": change.photo_id,
                "class": taxonomy[change.true_label].name,
                "there": taxonomy[change.before].name,
                "here": taxonomy[change.after].name,
                "fixed": change.after == change.true_label,
            }
            for change in (*found.fixed, *found.broken)
        ]
    )


def _card(change: Change, taxonomy: Taxonomy, bundle: Bundle) -> Card:
    name = capital(taxonomy[change.true_label].name)
    called = taxonomy[change.before if change.after == change.true_label else change.after].name
    where = "there" if change.after == change.true_label else "here"
    return Card(
        photo=bundle.photo_set.ref(change.photo_id),
        caption=(
            f'<span class="name">{escape(name)}</span><br>called {escape(called)} {where}<br>'
            f'<span class="quiet">photo {change.photo_id}</span>'
        ),
        alt=f"{name}, called {called} {where}, test photo {change.photo_id}",
        stand_in=class_picture(bundle, change.true_label),
    )
