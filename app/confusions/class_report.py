"""Tables of the confusions: every class with its precision and recall, and the pairs that are mixed up most."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.confusions.pair_choice import choose_pair
from app.elements.csv_button import offer_csv
from app.elements.localization import record_note
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.evaluation.confusion_matrix import worst_pairs
from flowers_core.evaluation.report import Report
from flowers_core.explain.metrics.localization import Localization
from flowers_core.explain.records.localization import LocalizationRecord

PAIRS_KEY, CLASSES_KEY = "pairs-table", "classes-table"


def class_table(report: Report, taxonomy: Taxonomy, shares: LocalizationRecord | None = None) -> pd.DataFrame:
    """One row a class, worst F1 first.

    Args:
        report: the figures of every class.
        taxonomy: the classes' names.
        shares: of the evidence on the flower; None leaves its columns out.

    Returns:
        Fractions are in [0, 1].
    """
    rows = [
        {
            "class": taxonomy[row.label].name,
            "F1": row.f1,
            "recall": row.recall,
            "precision": row.precision,
            "photos": row.support,
            "right": row.correct,
            "most confused with": taxonomy[row.most_confused_with].name if row.most_confused_with else "",
            "times": row.most_confused_count,
            **(_on_flower(shares.of_class(row.label)) if shares else {}),
            "family": taxonomy[row.label].family,
            "number": row.label,
        }
        for row in report.rows
    ]
    return pd.DataFrame(rows).sort_values(["F1", "number"], ignore_index=True)


def pair_table(matrix: NDArray[np.int64], taxonomy: Taxonomy, shares: LocalizationRecord | None = None) -> pd.DataFrame:
    """One row for each pair of classes that was confused at all, most frequent first.

    Args:
        matrix: (classes, classes) counts; rows are true labels, columns predicted ones.
        taxonomy: the classes' names.
        shares: of the evidence on the flower; None leaves its columns out.

    Returns:
        Fractions are in [0, 1]; `_true` and `_called` are the labels.
    """
    rows = [
        {
            "is": taxonomy[pair.true_label].name,
            "was called": taxonomy[pair.predicted_label].name,
            "photos": pair.count,
            "share": pair.share,
            "same family": taxonomy[pair.true_label].family == taxonomy[pair.predicted_label].family,
            **(_on_flower(shares.of_pair(pair.true_label, pair.predicted_label)) if shares else {}),
            "_true": pair.true_label,
            "_called": pair.predicted_label,
        }
        for pair in worst_pairs(matrix, matrix.size)
    ]
    return pd.DataFrame(rows)


def draw_class_report(report: Report, taxonomy: Taxonomy, name: str, shares: LocalizationRecord | None) -> None:
    """Every class, sortable; a chosen row shows that class's photos below.

    Args:
        report: the figures of every class.
        taxonomy: the classes' names.
        name: for the table's file.
        shares: of the evidence on the flower; None leaves its columns out.
    """
    table = class_table(report, taxonomy, shares)
    shown = table.assign(**{name: 100 * table[name] for name in ("F1", "recall", "precision", *_on_flower_in(table))})
    st.dataframe(
        shown,
        hide_index=True,
        height=560,
        placeholder="–",
        key=CLASSES_KEY,
        on_select=lambda: _take_class(table),
        selection_mode="single-row",
        column_config={
            "class": st.column_config.TextColumn(pinned=True),
            "F1": _share("Harmonic mean of recall and precision"),
            "recall": _share("Of the photos of this class, how many were called so"),
            "precision": _share("Of the photos called so, how many are"),
            "photos": st.column_config.NumberColumn(help="Test photos of this class"),
            "number": st.column_config.NumberColumn("no."),
            **_ON_FLOWER_COLUMNS,
        },
        alt="Precision, recall and F1 of every class, worst first",
    )
    if shares:
        st.caption(record_note(shares))
    offer_csv(table, f"classes-{name}.csv")


def draw_worst_pairs(
    matrix: NDArray[np.int64], taxonomy: Taxonomy, name: str, shares: LocalizationRecord | None
) -> None:
    """The confusions one by one; a chosen row shows its photos below.

    Args:
        matrix: (classes, classes) counts; rows are true labels, columns predicted ones.
        taxonomy: the classes' names.
        name: for the table's file.
        shares: of the evidence on the flower; None leaves its columns out.
    """
    table = pair_table(matrix, taxonomy, shares)
    if table.empty:
        st.success("Not one test photo was called by a wrong name.")
        return
    st.dataframe(
        table.assign(**{column: 100 * table[column] for column in ("share", *_on_flower_in(table))}),
        hide_index=True,
        height=560,
        placeholder="–",
        column_order=["is", "was called", "photos", "share", "same family", *_ON_FLOWER_COLUMNS],
        key=PAIRS_KEY,
        on_select=lambda: _take_pair(table),
        selection_mode="single-row",
        column_config={
            "share": st.column_config.NumberColumn(
                "of the class", format="%.1f %%", help="Localization of the test photos of the class"
            ),
            "same family": st.column_config.CheckboxColumn(),
            **_ON_FLOWER_COLUMNS,
        },
        alt="Pairs of classes that were confused, most frequent first",
    )
    if shares:
        st.caption(record_note(shares))
    offer_csv(table.drop(columns=["_true", "_called"]), f"pairs-{name}.csv")


def _share(meaning: str) -> Any:
    return st.column_config.NumberColumn(help=meaning, format="%.1f %%")


_ON_FLOWER_COLUMNS: dict[str, Any] = {
    "on flower": st.column_config.NumberColumn(
        format="%.0f %%", help="How much of the evidence for the model’s answers lies on the flower"
    ),
    "÷ area": st.column_config.NumberColumn(
        format="%.1f", help="The same by the flower’s share of the area: 1 is no better than spread evenly"
    ),
}


def _on_flower(share: Localization | None) -> dict[str, float | None]:
    values = (None, None) if share is None else (share.mass, share.ratio)
    return dict(zip(_ON_FLOWER_COLUMNS, values, strict=True))


def _on_flower_in(table: pd.DataFrame) -> list[str]:
    """The columns of shares among those."""
    return [name for name in ("on flower",) if name in table]


def _take_pair(table: pd.DataFrame) -> None:
    rows = st.session_state[PAIRS_KEY]["selection"]["rows"]
    if rows:
        choose_pair(int(table.loc[rows[0], "_true"]), int(table.loc[rows[0], "_called"]))


def _take_class(table: pd.DataFrame) -> None:
    rows = st.session_state[CLASSES_KEY]["selection"]["rows"]
    if rows:
        choose_pair(int(table.loc[rows[0], "number"]), None)
