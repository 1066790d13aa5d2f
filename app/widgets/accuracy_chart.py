"""Accuracy against size: what a smaller model costs."""

import altair as alt
import pandas as pd


def accuracy_chart(table: pd.DataFrame) -> alt.LayerChart | alt.FacetChart | None:
    """A point for each model and precision of `figures.figure_table`; None when none has both figures."""
    known = table.dropna(subset=["MB", "top-1"]).copy()
    if known.empty:
        return None
    known["label"] = known["model"] + ", " + known["precision"] if known["model"].nunique() > 1 else known["precision"]
    largest = 1.15 * float(known["MB"].max())
    base = alt.Chart(known).encode(
        # Sizes from 0, so that twice the size is twice as far; accuracies lie too close together for that.
        x=alt.X("MB:Q", title="MB", scale=alt.Scale(domain=[0, largest], nice=False), axis=alt.Axis(tickCount=8)),
        y=alt.Y(
            "top-1:Q", title="top-1", axis=alt.Axis(format=".1%", tickCount=5), scale=alt.Scale(zero=False, padding=24)
        ),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("precision:N"),
            alt.Tooltip("MB:Q", format=".1f", title="MB"),
            alt.Tooltip("top-1:Q", format=".2%"),
            alt.Tooltip("mean per class:Q", format=".2%"),
        ],
    )
    points = base.mark_point(filled=True, size=140, opacity=1)
    names = base.mark_text(dy=-14, fontSize=12).encode(text="label:N")
    return alt.layer(points, names).properties(height=260)
