"""The confusion matrix as a chart that can be read and clicked."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flowers_core.data.taxonomy import Taxonomy

SELECTION = "cell"
# Up to here the names of the classes fit beside the cells.
NAMED = 45
# A family with fewer classes than this is narrower than its name is high.
NAMED_FAMILY = 3


def by_label(taxonomy: Taxonomy) -> list[int]:
    """Labels as the data set numbers them."""
    return [taxon.label for taxon in taxonomy]


def by_family(taxonomy: Taxonomy) -> list[int]:
    """Labels with relatives side by side: by family, genus, then name."""
    return [t.label for t in sorted(taxonomy, key=lambda taxon: (taxon.family, taxon.genus or "", taxon.name))]


def by_name(taxonomy: Taxonomy) -> list[int]:
    """Labels by their English names."""
    return [t.label for t in sorted(taxonomy, key=lambda taxon: taxon.name)]


def most_confused(matrix: NDArray[np.int64], order: Sequence[int], count: int) -> list[int]:
    """The classes with most mistakes made on them or towards them, in the given order.

    Args:
        matrix: (classes, classes) counts; rows are true labels, columns predicted ones.
        order: labels.
        count: of the classes.
    """
    wrong = matrix - np.diag(matrix.diagonal())
    involved = wrong.sum(axis=0) + wrong.sum(axis=1)
    worst = set((np.argsort(-involved, kind="stable")[:count] + 1).tolist())
    return [label for label in order if label in worst]


def cells(matrix: NDArray[np.int64], labels: Sequence[int], taxonomy: Taxonomy) -> pd.DataFrame:
    """One row for each cell of these classes that counts any photo.

    Args:
        matrix: (classes, classes) counts; rows are true labels, columns predicted ones.
        labels: the classes that are shown.
        taxonomy: the classes' names.
    """
    wanted = set(labels)
    rows = []
    for row, column in np.argwhere(matrix):
        true, called = int(row) + 1, int(column) + 1
        if true in wanted and called in wanted:
            rows.append(
                {
                    "true": true,
                    "called": called,
                    "is": taxonomy[true].name,
                    "is called": taxonomy[called].name,
                    "family": taxonomy[true].family,
                    "photos": int(matrix[row, column]),
                    "of": int(matrix[row].sum()),
                    "right": true == called,
                }
            )
    return pd.DataFrame(rows)


def matrix_chart(table: pd.DataFrame, labels: Sequence[int], taxonomy: Taxonomy, side: int) -> alt.Chart:
    """Rows are what the photos show, columns what they were called. Mistakes are coloured, the diagonal is a trace.

    Empty cells are not drawn: of 10404 cells, some hundred count anything.

    Args:
        table: of `cells`.
        labels: the classes that are shown, in order.
        taxonomy: the classes' names.
        side: of the chart, in pixels.
    """
    names = [taxonomy[label].name for label in labels]
    named = len(labels) <= NAMED
    axis: dict[str, Any] = {"ticks": False, "domain": False, "labelLimit": 150, "labelFontSize": 11, "grid": False}
    axis |= {"labelOverlap": False} if named else _family_labels(labels, taxonomy)
    scale = alt.Scale(domain=names, paddingInner=0.06 if named else 0)
    picked = alt.selection_point(name=SELECTION, fields=["true", "called"], on="click", clear="dblclick", nearest=True)
    base = alt.Chart(table).encode(
        x=alt.X("is called:N", scale=scale, title="the model said", axis=alt.Axis(labelAngle=-60, **axis)),
        y=alt.Y("is:N", scale=scale, title="the photo shows", axis=alt.Axis(**axis)),
        tooltip=[
            alt.Tooltip("is:N", title="is"),
            alt.Tooltip("is called:N", title="was called"),
            alt.Tooltip("photos:Q", title="photos"),
            alt.Tooltip("of:Q", title="of"),
        ],
    )
    right = base.transform_filter("datum.right").mark_rect(color="#8a9184", opacity=0.22)
    wrong = (
        base.transform_filter("!datum.right")
        .mark_rect(cursor="pointer")
        .encode(
            color=alt.Color(
                "photos:Q",
                scale=alt.Scale(type="log", nice=False),
                legend=alt.Legend(
                    title="photos", orient="top", direction="horizontal", gradientLength=180, tickCount=4
                ),
            ),
            stroke=alt.condition(picked, alt.value("#2f6fa8"), alt.value(None), empty=False),
            strokeWidth=alt.condition(picked, alt.value(3), alt.value(0), empty=False),
        )
        .add_params(picked)
    )
    return (
        alt.layer(right, wrong)
        .properties(height=side, usermeta={"embedOptions": {"renderer": "canvas"}})
        .configure_view(stroke="#8a918444")
    )


def _family_labels(labels: Sequence[int], taxonomy: Taxonomy) -> dict[str, Any]:
    """Name the larger families at their middles where they stand together; else no labels, for they would not fit."""
    middles = {}
    for family, members in groupby(labels, key=lambda label: taxonomy[label].family):
        run = list(members)
        if len(run) >= NAMED_FAMILY:
            middles[taxonomy[run[len(run) // 2]].name] = family
    if not middles:
        return {"labels": False}
    return {"values": list(middles), "labelExpr": f"({json.dumps(middles)})[datum.value]", "labelOverlap": "greedy"}
