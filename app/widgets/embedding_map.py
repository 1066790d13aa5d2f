"""The map of the embeddings: every photo a dot, alike ones together; a rectangle drawn on it shows its photos."""

from collections import Counter
from collections.abc import Mapping
from html import escape
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app import resources
from app.widgets.class_counts import TITLES
from app.widgets.dataset_offer import offer_download
from app.widgets.photo_grid import Card, draw_photos
from app.widgets.words import capital, listed
from flowers_core.bundle import DEFAULT_BUNDLE, Bundle, BundleError
from flowers_core.evaluation import PredictionsError
from flowers_core.taxonomy import Taxonomy

KEY, BRUSH = "map", "brush"
SHOWN = 24
# More colours than this cannot be told apart.
NAMED_FAMILIES = 9
OTHERS = "other families"
COLOURINGS = {"family": "Family", "right": "Right or wrong", "split": "Split"}


def draw_map(ids: NDArray[np.int64], labels: NDArray[np.int64], splits: NDArray[np.str_], taxonomy: Taxonomy) -> None:
    """Choice of model and colours, the map, and the photos within the rectangle drawn on it."""
    maps = {bundle.name: bundle for bundle in resources.shelf().bundles if resources.projection(bundle) is not None}
    if not maps:
        st.info(
            "No map comes with the models on this machine. "
            f"`python -m scripts.project {DEFAULT_BUNDLE}` draws one from a model’s gallery."
        )
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        name = st.selectbox("Model", list(maps), key="bundle", bind="query-params", width=230)
        colouring = st.segmented_control(
            "Coloured by",
            list(COLOURINGS),
            default="family",
            required=True,
            format_func=COLOURINGS.__getitem__,
            key="colour",
            bind="query-params",
        )
    bundle = maps[name]
    table = map_table(bundle, ids, labels, splits, taxonomy)
    st.markdown(
        "Photos that the model finds alike lie together; neither the directions nor the distances between groups mean "
        "anything. Draw a rectangle, and see the photos in it."
    )
    state = st.altair_chart(
        map_chart(table, colouring or "family"),
        key=KEY,
        on_select="rerun",
        selection_mode=BRUSH,
        alt="Every photo of the data set as a dot, photos that the model finds alike close to each other",
    )
    picked = inside(table, state["selection"].get(BRUSH) or {})
    if picked.empty:
        return
    st.markdown(picked_sentence(picked))
    flowers = resources.data().flowers
    draw_photos("map", [_card(row) for row in picked.head(SHOWN).to_dict("records")], flowers, smallest=110)
    if flowers is None:
        offer_download("map", "The photos are not on this machine, so their numbers stand in for them.")


def map_table(
    bundle: Bundle, ids: NDArray[np.int64], labels: NDArray[np.int64], splits: NDArray[np.str_], taxonomy: Taxonomy
) -> pd.DataFrame:
    """One row a photo that is on the map and known here: place, class, family, split, and how the model did."""
    projection = resources.projection(bundle)
    assert projection is not None
    _, here, there = np.intersect1d(ids, projection.ids, return_indices=True)
    families = [taxonomy[int(label)].family for label in labels[here]]
    largest = {family for family, _ in Counter(families).most_common(NAMED_FAMILIES)}
    called = _called(bundle)
    return pd.DataFrame(
        {
            "photo": ids[here],
            # Three digits are a tenth of a pixel, and half of what is sent to the page.
            "x": projection.points[there, 0].round(3).astype(float),
            "y": projection.points[there, 1].round(3).astype(float),
            "class": [taxonomy[int(label)].name for label in labels[here]],
            "family": [family if family in largest else OTHERS for family in families],
            "split": [TITLES[str(split)] for split in splits[here]],
            "right": [
                "not tested" if photo not in called else "right" if called[photo] == label else "wrong"
                for photo, label in zip(ids[here].tolist(), labels[here].tolist(), strict=True)
            ],
        }
    )


def map_chart(table: pd.DataFrame, colouring: str) -> alt.Chart:
    """The dots; a rectangle can be drawn."""
    known = table[colouring].value_counts().index.tolist()
    last = [name for name in (OTHERS, "not tested") if name in known]
    domain = [name for name in known if name not in last] + last
    scale: dict[str, Any] = {"domain": domain}
    if colouring == "right":
        # Blue and orange are told apart by everybody; grey steps back.
        colours = {"right": "#2f6fa8", "wrong": "#e07b00", "not tested": "#b9beb4"}
        scale["range"] = [colours[name] for name in domain]
    elif colouring == "family":
        scale["range"] = [*alt_palette()[: len(domain) - len(last)], *["#c9cdc4"] * len(last)]
    hidden = alt.Axis(labels=False, ticks=False, grid=False, domain=False, title=None)
    return (
        alt.Chart(table)
        .mark_circle(size=18, opacity=0.75)
        .encode(
            x=alt.X("x:Q", axis=hidden),
            y=alt.Y("y:Q", axis=hidden),
            color=alt.Color(
                f"{colouring}:N", scale=alt.Scale(**scale), legend=alt.Legend(title=None, orient="bottom", columns=5)
            ),
            tooltip=["class:N", "photo:Q", "split:N", "right:N"],
        )
        .add_params(alt.selection_interval(name=BRUSH))
        .properties(height=620, usermeta={"embedOptions": {"renderer": "canvas"}})
    )


def alt_palette() -> list[str]:
    """Nine colours that stand out on a light and on a dark page, after Paul Tol's muted scheme for the colour-blind."""
    return ["#5468d4", "#2a9d55", "#4fb3e8", "#c9a227", "#d9657a", "#aa4499", "#44aa99", "#8f8f2d", "#a33b6e"]


def inside(table: pd.DataFrame, brush: Mapping[str, Any]) -> pd.DataFrame:
    """The photos within a rectangle, nearest to its middle first; none without a rectangle."""
    if not {"x", "y"} <= set(brush):
        return table.head(0)
    (left, right), (low, high) = sorted(brush["x"]), sorted(brush["y"])
    found = table[table["x"].between(left, right) & table["y"].between(low, high)]
    distance = (found["x"] - (left + right) / 2) ** 2 + (found["y"] - (low + high) / 2) ** 2
    return found.loc[distance.sort_values(kind="stable").index]


def picked_sentence(picked: pd.DataFrame) -> str:
    """How many photos are within, and of which classes mostly."""
    counts = picked["class"].value_counts()
    mostly = listed([f"{count} {name}" for name, count in counts.head(4).items()], "and")
    more = f", and {len(counts) - 4} classes more" if len(counts) > 4 else ""
    shown = f" The {SHOWN} nearest to its middle:" if len(picked) > SHOWN else ""
    return f"**{len(picked):,}** photos lie within: {mostly}{more}.{shown}"


def _called(bundle: Bundle) -> dict[int, int]:
    """What the model called each test photo, as far as that is on record."""
    try:
        precisions = resources.evaluated_precisions(bundle)
        if not precisions:
            return {}
        answers = resources.predictions(bundle, resources.preferred(precisions))
    except (BundleError, PredictionsError):
        return {}
    return dict(zip(answers.ids.tolist(), answers.predicted.tolist(), strict=True))


def _card(row: Mapping[Any, Any]) -> Card:
    name = capital(str(row["class"]))
    return Card(
        photo_id=int(row["photo"]),
        caption=(
            f'<span class="name">{escape(name)}</span><br>'
            f'<span class="quiet">{row["split"]} · no. {row["photo"]}</span>'
        ),
        alt=f"{name}, {row['split']} photo {row['photo']}",
    )
