"""The map of the embeddings: every photo a dot, alike ones together; a loop drawn around some shows their photos.

Drawn by Plotly, since the other charts of Streamlit select by rectangles only.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from html import escape
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from app.dataset.class_counts import TITLES
from app.dataset.gallery_map import draw_gallery_map
from app.elements.choices import choose_one
from app.elements.dataset_offer import offer_download
from app.elements.pagination import choose_page, first_page
from app.elements.photo_grid import Card, draw_cards
from app.elements.words import capital, listed
from app.resources import models, records
from app.resources.data import LabelledPhotos, photos_here
from app.resources.large_gallery import MappedGallery, mapped_gallery
from flowers_core.data.photo_ref import PhotoSet
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import DEFAULT_BUNDLE, Bundle

KEY = "map"
_LIST = "map-photos"
PER_PAGE = 24
# More colours than this cannot be told apart.
NAMED_FAMILIES = 9
OTHERS = "other families"
# Nine colours that stand out on a light and on a dark page, after Paul Tol's muted scheme for the colour-blind.
PALETTE = ("#5468d4", "#2a9d55", "#4fb3e8", "#c9a227", "#d9657a", "#aa4499", "#44aa99", "#8f8f2d", "#a33b6e")
GREY = "#b9beb4"
WHOSE = {"known": "The data set", "gallery": "Your gallery"}
COLOURINGS = {"class": "Class", "family": "Family", "right": "Right or wrong", "split": "Split"}


@st.fragment
def draw_map(photos: LabelledPhotos) -> None:
    """Choice of model and colours, the map, and the photos within the loop drawn on it.

    Args:
        photos: those of the data set; models that learnt from another one are not offered.
    """
    photo_set = photos.photo_set
    maps = {
        bundle.name: bundle
        for bundle in models.model_list().bundles
        if bundle.photo_set == photo_set and records.projection(bundle) is not None
    }
    if not maps:
        own = [bundle.name for bundle in models.model_list().bundles if bundle.photo_set == photo_set]
        st.info(
            "No map of these photos comes with the models on this machine. "
            f"`flowers project_embeddings {own[0] if own else DEFAULT_BUNDLE}` draws one from a model’s gallery."
        )
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        name = st.selectbox("Model", list(maps), key="bundle", bind="query-params", width=230)
        mapped = _mapped_gallery(maps[name])
        whose = choose_one("Photos of", WHOSE, "whose") if mapped else "known"
        if mapped is None or whose == "known":
            colouring = choose_one("Coloured by", COLOURINGS, "colour", default="family")
    bundle = maps[name]
    if mapped is not None and whose != "known":
        draw_gallery_map(bundle, mapped)
        return
    table = map_table(bundle, photos.ids, photos.labels, photos.splits, photos.taxonomy)
    st.markdown(
        "Photos that the model finds alike lie together; neither the directions nor the distances between groups mean "
        "anything. Draw a loop around some, or a rectangle, and see their photos; a click beside them lets them go."
    )
    state = st.plotly_chart(
        map_figure(table, colouring),
        key=KEY,
        on_select=lambda: first_page(_LIST),
        selection_mode=("lasso", "box"),
        config={"displaylogo": False, "modeBarButtons": [["lasso2d", "select2d", "zoom2d", "pan2d", "resetScale2d"]]},
        alt="Every photo of the data set as a dot, photos that the model finds alike close to each other",
    )
    picked = picked_photos(table, chosen_ids(state))
    if picked.empty:
        return
    st.markdown(picked_sentence(picked))
    place = st.container()
    shown = choose_page(_LIST, [_card(row, photo_set) for row in picked.to_dict("records")], PER_PAGE)
    with place:
        draw_cards("map", shown, smallest=110)
    if not photos_here(photo_set):
        offer_download("map", "The photos are not on this machine, so their numbers stand in for them.", photo_set)


def _mapped_gallery(bundle: Bundle) -> MappedGallery | None:
    """The large gallery of this model, if its photos have places on the map; without a word where it has not."""
    try:
        return mapped_gallery(bundle)
    except FlowersError:
        return None  # Identify says what is wrong with it


def map_table(
    bundle: Bundle, ids: NDArray[np.int64], labels: NDArray[np.int64], splits: NDArray[np.str_], taxonomy: Taxonomy
) -> pd.DataFrame:
    """One row a photo that is on the map and known here: position, class, family, split, and how the model did.

    Args:
        bundle: the model, which has a map.
        ids: (n,), the photos' ids.
        labels: (n,), each photo's label, from 1.
        splits: (n,), each photo's split.
        taxonomy: the classes' names.
    """
    projection = records.projection(bundle)
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


def map_figure(table: pd.DataFrame, colouring: str) -> go.Figure:
    """The dots, one trace a colour, each dot with its photo's id as `customdata`.

    Args:
        table: of `map_table`.
        colouring: the column that the colours stand for.
    """
    figure = go.Figure()
    named = colouring != "class"
    for name, colour in colours_of(table[colouring]).items():
        of_colour = table[table[colouring] == name]
        words = of_colour["class"] + "<br>" + of_colour["split"] + " photo " + of_colour["photo"].astype(str)
        figure.add_trace(
            go.Scatter(
                x=of_colour["x"].to_numpy(np.float32),
                y=of_colour["y"].to_numpy(np.float32),
                customdata=of_colour["photo"].to_numpy(np.int32),
                text=words + ", " + of_colour["right"],
                mode="markers",
                name=name,
                showlegend=named,
                marker={"color": colour, "size": 5, "opacity": 0.75},
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 0.15}},
                hovertemplate="%{text}<extra></extra>",
            )
        )
    hidden = {"visible": False, "range": [-1.04, 1.04]}
    figure.update_layout(
        height=660,
        dragmode="lasso",
        xaxis=hidden,
        yaxis=hidden,
        legend={"orientation": "h", "yanchor": "top", "y": 0, "x": 0, "itemsizing": "constant", "title": None},
        margin={"l": 0, "r": 0, "t": 30, "b": 0},
        # Zoom and selection outlive another choice of colours.
        uirevision="map",
    )
    return figure


def colours_of(kinds: "pd.Series[str]") -> dict[str, str]:
    """The colour of each kind of photo, the commonest first; what steps back is grey and last.

    More kinds than the palette has, such as the classes, share its colours in turn: each is a patch of its own.
    """
    known = kinds.value_counts().index.tolist()
    last = [name for name in (OTHERS, "not tested") if name in known]
    order = [name for name in known if name not in last] + last
    # Blue and orange are told apart by everybody.
    fixed = {"right": "#2f6fa8", "wrong": "#e07b00", "not tested": GREY, OTHERS: GREY}
    palette = cycle(PALETTE)
    return {name: fixed.get(name) or next(palette) for name in order}


def chosen_ids(state: Any) -> list[int]:
    """The numbers of the photos in a selection as the chart reports it, which wraps `customdata` at times."""
    points = state["selection"]["points"]
    return [int(np.ravel(point["customdata"])[0]) for point in points if "customdata" in point]


def picked_photos(table: pd.DataFrame, ids: Collection[int]) -> pd.DataFrame:
    """The rows of these photos, nearest to their middle first, so that stragglers come last.

    Args:
        table: of `map_table`.
        ids: of the photos within the loop.
    """
    found = table[table["photo"].isin(ids)]
    distance = (found["x"] - found["x"].mean()) ** 2 + (found["y"] - found["y"].mean()) ** 2
    return found.loc[distance.sort_values(kind="stable").index]


def picked_sentence(picked: pd.DataFrame) -> str:
    """How many photos are within, and of which classes mostly."""
    counts = picked["class"].value_counts()
    mostly = listed([f"{count} {name}" for name, count in counts.head(4).items()], "and")
    more = f", and {len(counts) - 4} classes more" if len(counts) > 4 else ""
    order = " Those in the middle come first." if len(picked) > 1 else ""
    return f"**{len(picked):,}** photos lie within: {mostly}{more}.{order}"


def _called(bundle: Bundle) -> dict[int, int]:
    """What the model called each test photo, as far as that is on record."""
    try:
        bundle = models.tested(bundle)
        formats = records.evaluated_formats(bundle)
        if not formats:
            return {}
        predictions = records.predictions(bundle, models.preferred_format(formats))
    except FlowersError:
        return {}
    return dict(zip(predictions.ids.tolist(), predictions.predicted.tolist(), strict=True))


def _card(row: Mapping[Any, Any], photo_set: PhotoSet) -> Card:
    name = capital(str(row["class"]))
    return Card(
        photo=photo_set.ref(row["photo"]),
        caption=(
            f'<span class="name">{escape(name)}</span><br>'
            f'<span class="quiet">{row["split"]} · no. {row["photo"]}</span>'
        ),
        alt=f"{name}, {row['split']} photo {row['photo']}",
    )
