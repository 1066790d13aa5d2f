"""The confusion matrix on the page: how it is ordered, which part of it is shown, and what a click does."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.confusions.matrix_chart import (
    NAMED,
    SELECTION,
    by_family,
    by_label,
    by_name,
    cells,
    matrix_chart,
    most_confused,
)
from app.confusions.pair_choice import choose_pair
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.evaluation.class_order import order_by_confusion

ORDERS = {"family": by_family, "name": by_name, "number": by_label}
MIXED_UP = "what is mixed up"
FEW = 30
PARTS = {"all": "All classes", "confused": f"The {FEW} most confused"}
KEY = "matrix"


def draw_matrix(matrix: NDArray[np.int64], taxonomy: Taxonomy) -> None:
    """Choices and chart."""
    with st.container(horizontal=True, gap="medium"):
        part = st.segmented_control(
            "Show",
            list(PARTS),
            default="all",
            required=True,
            format_func=PARTS.__getitem__,
            key="part",
            bind="query-params",
        )
        order = st.segmented_control(
            "Ordered by", [*ORDERS, MIXED_UP], default="family", required=True, key="order", bind="query-params"
        )
    labels = order_by_confusion(matrix) if order == MIXED_UP else ORDERS[order or "family"](taxonomy)
    # A test set of one's own has photos of a few classes; the others would be empty rows.
    labels = [label for label in labels if matrix[label - 1].any() or matrix[:, label - 1].any()]
    if part == "confused":
        labels = most_confused(matrix, labels, FEW)
    side = 660 if len(labels) > NAMED else 620
    st.altair_chart(
        matrix_chart(cells(matrix, labels, taxonomy), labels, taxonomy, side),
        key=KEY,
        on_select=_take_cell,
        selection_mode=SELECTION,
        alt=(
            "Confusion matrix: rows are what the photos show, columns what the model called them. "
            "The table of worst pairs holds the same counts."
        ),
    )


def _take_cell() -> None:
    picked = st.session_state[KEY]["selection"].get(SELECTION) or []
    if picked:
        choose_pair(int(picked[0]["true"]), int(picked[0]["called"]))
    else:
        choose_pair(None, None)
