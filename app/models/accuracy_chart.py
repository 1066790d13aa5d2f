"""Accuracy against size: what a smaller model costs, with the published models to compare with."""

import altair as alt
import pandas as pd

from flowers_core.reports.published import PUBLISHED

PUBLISHED_NAME = "InceptionV3, published"
# Told apart by everybody, on light and dark pages (Okabe and Ito 2008); grey for what is not ours.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
GREY = "#8c8f86"


def accuracy_chart(table: pd.DataFrame, *, published: bool = True) -> alt.Chart | None:
    """Draw a point for each model and precision.

    Args:
        table: of `metrics_table.figure_table`.
        published: whether the published models are compared with, which answered Oxford's photos.

    Returns:
        The chart; None when none of the table's rows has both figures.
    """
    known = table.dropna(subset=["MB", "top-1"])
    if known.empty:
        return None
    names = known["model"].unique().tolist()
    points = pd.concat([known, published_points()], ignore_index=True) if published else known
    others = [PUBLISHED_NAME] if published else []
    sizes = [points["MB"].min() / 1.4, points["MB"].max() * 1.4]
    base = alt.Chart(points).encode(
        # Each step to the right doubles the size: 2 MB and 80 MB would not go on one even scale.
        x=alt.X("MB:Q", title="MB", scale=alt.Scale(type="log", base=2, domain=sizes), axis=alt.Axis(format="~g")),
        y=alt.Y(
            "top-1:Q",
            title="top-1",
            axis=alt.Axis(format=".0%", tickCount=6),
            scale=alt.Scale(zero=False, nice=False, padding=12),
        ),
        color=alt.Color(
            "model:N",
            scale=alt.Scale(domain=[*names, *others], range=[*COLOURS[: len(names)], GREY]),
            legend=alt.Legend(title=None, orient="bottom", offset=0, columns=1, labelLimit=240),
        ),
        # Names beside the points would cover one another where two models are nearly alike.
        shape=alt.Shape(
            "precision:N",
            legend=alt.Legend(title=None, orient="top", columns=3, symbolFillColor=GREY, symbolStrokeColor=GREY),
        ),
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("precision:N"),
            alt.Tooltip("MB:Q", format=".1f", title="MB"),
            alt.Tooltip("top-1:Q", format=".2%"),
            alt.Tooltip("mean per class:Q", format=".2%"),
            alt.Tooltip("training photos:Q"),
        ],
    )
    return base.mark_point(filled=True, size=80, opacity=0.85).properties(height=540)


def published_points() -> pd.DataFrame:
    """The published models whose size was given, as rows of the same table."""
    return pd.DataFrame(
        [
            {
                "model": PUBLISHED_NAME,
                "precision": row.numeric_format,
                "MB": row.megabytes,
                "top-1": row.unfrozen,
                "training photos": 1020,
            }
            for row in PUBLISHED
            if row.model == "InceptionV3" and row.megabytes is not None
        ]
    )
