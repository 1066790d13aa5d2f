"""The confusion matrix on the page: how it is ordered, which classes it shows, and what a click does."""

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
from app.elements.choices import choose_one
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.evaluation.confusion_matrix import order_by_confusion

ORDERS = {"family": by_family, "name": by_name, "number": by_label}
MIXED_UP = "what is mixed up"
FEW = 30
CLASSES = {"all": "All classes", "confused": f"The {FEW} most confused"}
KEY = "matrix"


def draw_matrix(matrix: NDArray[np.int64], taxonomy: Taxonomy) -> None:
    """The choice of classes and their order, and the chart.

    Args:
        matrix: (classes, classes) counts; rows are true labels, columns predicted ones.
        taxonomy: the classes' names.
    """
    # A custom test set has photos of a few classes; the others would be empty rows.
    present = {at + 1 for at in np.flatnonzero(matrix.any(axis=0) | matrix.any(axis=1)).tolist()}
    with st.container(horizontal=True, gap="medium"):
        classes = choose_one("Show", CLASSES, "matrix-classes") if len(present) > FEW else "all"
        order = choose_one("Ordered by", {name: name for name in (*ORDERS, MIXED_UP)}, "order")
    labels = order_by_confusion(matrix) if order == MIXED_UP else ORDERS[order](taxonomy)
    labels = [label for label in labels if label in present]
    if classes == "confused":
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
