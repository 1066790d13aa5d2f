"""The table of named photos: filters, a way to open one, and files to take away."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.elements.choices import choose_one
from app.elements.csv_button import offer_csv
from app.elements.photo_grid import IDENTIFY
from app.elements.words import capital
from app.many.rows import Row
from app.resources import own_photos
from flowers_core.reports.named_folder import NamedPhoto, named_folder

ALL, SURE, DOUBT, UNREAD = "all", "sure", "doubt", "unread"
_KINDS = {ALL: "All", SURE: "Sure", DOUBT: "In doubt", UNREAD: "Not read"}
_VERDICTS = {"sure": "sure", "likely": "likely", "between": "undecided", "unsure": "not sure"}
_HEADER = ("photo", "verdict", "name", "botanical name", "probability", "second", "its probability", "model", "problem")


def draw_results(rows: Sequence[Row]) -> None:
    """The table, and below it the photo that is chosen in it.

    Args:
        rows: at least one.
    """
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        counts = {kind: f"{title} ({sum(of_kind(row, kind) for row in rows)})" for kind, title in _KINDS.items()}
        kind = choose_one("Show", counts, "many-show")
        names = sorted({row.taxon.name for row in rows if row.taxon})
        flower = st.selectbox(
            "Named", names, index=None, placeholder="any flower", key="many-flower", filter_mode="contains", width=240
        )
        least = st.slider("At least so probable", 0, 100, 0, 5, format="%d %%", key="many-least", width=200) / 100
    shown = [row for row in rows if of_kind(row, kind) and _passes(row, flower, least)]
    if not shown:
        st.info("No photo passes these filters.")
        return
    st.caption(f"{len(shown)} of {len(rows)} photos. Choose a row to open its photo.")
    event: Any = st.dataframe(
        _table(shown),
        hide_index=True,
        height="content" if len(shown) < 12 else 560,
        row_height=56,
        key="many-table",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "": st.column_config.ImageColumn("", width="small"),
            "probability": st.column_config.ProgressColumn("probability", min_value=0, max_value=100, format="%.0f %%"),
        },
    )
    chosen = [shown[at] for at in event.selection.rows if at < len(shown)]
    _offer_one(chosen[0] if chosen else None)
    table = pd.DataFrame([_values(row) for row in shown], columns=list(_HEADER))
    with st.container(horizontal=True, gap="small"):
        offer_csv(table, "flower-names.csv")
        st.download_button(
            "Photos sorted by name (ZIP)",
            lambda: named_folder([_packed(row) for row in shown], _HEADER),
            file_name="flowers.zip",
            mime="application/zip",
            icon=":material/folder_zip:",
            on_click="ignore",
            key="many-zip",
            help="Small copies in a folder for each flower, and the table. What is not sure lies apart.",
        )


def of_kind(row: Row, kind: str) -> bool:
    """Whether a row is shown under one of the four choices."""
    verdict = row.prediction.verdict if row.prediction else None
    return kind == ALL or kind == (UNREAD if verdict is None else SURE if verdict == "sure" else DOUBT)


def _passes(row: Row, flower: str | None, least: float) -> bool:
    if row.prediction is None or row.taxon is None:
        return flower is None and least == 0
    return row.prediction.candidates[0].probability >= least and flower in (None, row.taxon.name)


def _table(rows: Sequence[Row]) -> pd.DataFrame:
    """What is on screen: few columns, the photo first."""
    lines = []
    for row in rows:
        source = f"data:image/jpeg;base64,{base64.b64encode(row.own.small).decode()}" if row.own else ""
        best = row.prediction.candidates[0] if row.prediction else None
        said = capital(row.taxon.name) if row.taxon else row.problem
        probability = 100 * best.probability if best else None
        verdict = _VERDICTS[row.prediction.verdict_word] if row.prediction else "not read"
        lines.append((source, said, probability, verdict, row.name))
    return pd.DataFrame(lines, columns=["", "answer", "probability", "how sure", "photo"])


def _values(row: Row) -> list[Any]:
    """A row of the files that are taken away, in the order of `_HEADER`."""
    if row.prediction is None or row.taxon is None:
        return [row.name, "not read", "", "", "", "", "", row.model, row.problem]
    best, second = row.prediction.top(2)
    first = [row.taxon.name, row.taxon.latin, f"{best.probability:.4f}"]
    verdict = _VERDICTS[row.prediction.verdict_word]
    return [row.name, verdict, *first, row.taxonomy[second.label].name, f"{second.probability:.4f}", row.model, ""]


def _packed(row: Row) -> NamedPhoto:
    values = [str(value) for value in _values(row)]
    if row.own is None or row.prediction is None or row.taxon is None:
        return NamedPhoto(row.name, "", None, values)
    folder = row.taxon.name if row.prediction.sure else "not sure"
    return NamedPhoto(row.name, folder, row.own.copy, values)


def _offer_one(row: Row | None) -> None:
    if row is None:
        return
    if row.own is None:
        st.error(row.problem, icon=":material/broken_image:")
        return
    photo, words = st.columns((1, 2), gap="medium", vertical_alignment="center")
    photo.image(row.own.copy, width=320, alt=f"Your photo {row.own.name}")
    with words:
        if st.button("See why on Identify", icon=":material/zoom_in:", key="many-open"):
            own_photos.give([own_photos.keep(row.own)])
            st.switch_page(IDENTIFY)
