"""How well the model's probabilities are calibrated, and what comes of answering only when it is sure."""

from collections.abc import Mapping

import altair as alt
import pandas as pd
import streamlit as st

from app.elements.csv_button import offer_csv
from app.elements.words import percent
from flowers_core.evaluation.calibration import ece, reliability
from flowers_core.evaluation.predictions import Predictions
from flowers_core.evaluation.risk_coverage import CoverageCurve, OperatingPoint, coverage_curve
from flowers_core.inference.prediction import softmax
from flowers_core.inference.records.confidence import ConfidenceFigures, ReliabilityBin

THRESHOLD = "sure"
# More points than this cannot be told apart on the page.
_POINTS = 300


def draw_calibration(
    predictions: Predictions, temperature: float, name: str, recorded: Mapping[str, ConfidenceFigures]
) -> None:
    """A threshold to choose, what it does, and the two curves behind it.

    Args:
        predictions: for the test photos.
        temperature: what the logits are divided by.
        name: for the table's file.
        recorded: the figures of the model's confidence on clean and on corrupted test photos; empty where none were
            measured, or the predictions are not for test photos.
    """
    probabilities = softmax(predictions.logits, temperature)
    curve = coverage_curve(probabilities, predictions.labels)
    threshold = st.slider(
        "Answer only when at least so sure",
        min_value=0,
        max_value=99,
        value=90,
        format="%d %%",
        key=THRESHOLD,
        bind="query-params",
    )
    point = curve.at(threshold / 100)
    st.markdown(operating_sentence(point))
    table = curve_table(curve)
    st.altair_chart(
        curve_chart(table, point, curve), alt="Share of answers that are right against share of photos answered"
    )
    bins = reliability(probabilities, predictions.labels)
    off = ece(probabilities, predictions.labels)
    st.markdown(
        "**Does it know how sure it is?** Where a dot lies on the line, of the answers given with that certainty just "
        f"as many are right. On average they are {100 * off:.1f} points apart (expected calibration error, 15 bins)."
    )
    st.altair_chart(reliability_chart(reliability_table(bins)), alt="Share of right answers against the certainty")
    offer_csv(table, f"coverage-{name}.csv")
    draw_recorded(recorded)


def draw_recorded(recorded: Mapping[str, ConfidenceFigures]) -> None:
    """The reliability diagram of the model's confidence, as it was measured; nothing where it was not.

    Args:
        recorded: figures by the kind of the photos.
    """
    table = recorded_table(recorded)
    if table.empty:
        return
    st.markdown(recorded_sentence(recorded))
    st.altair_chart(recorded_chart(table), alt="Share of right answers against the confidence, clean and corrupted")


def recorded_sentence(recorded: Mapping[str, ConfidenceFigures]) -> str:
    """What the diagram of the confidence shows, in words."""
    (first, figures), *rest = recorded.items()
    off = f"{100 * figures.ece:.1f} points apart on average on {first} photos"
    off += "".join(f", {100 * figures.ece:.1f} on {kind} ones" for kind, figures in rest)
    return (
        "**And what *Identify* states?** There the model weighs all that one look tells, not only its probabilities. "
        "Measured on test photos as they are and on corrupted ones (blurred, dark, small in the frame …), stated and "
        f"true shares are {off}."
    )


def recorded_table(recorded: Mapping[str, ConfidenceFigures]) -> pd.DataFrame:
    """One row for each bin of each kind of photo: fractions in [0, 1]."""
    tables = [reliability_table(figures.reliability).assign(of=kind) for kind, figures in recorded.items()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def operating_sentence(point: OperatingPoint) -> str:
    """What a threshold does, in words."""
    sure = f"At {100 * point.threshold:.0f} % sure or more"
    if point.accuracy is None:
        return f"{sure} it would answer none of the photos."
    return (
        f"{sure} it answers **{percent(point.coverage)}** of the photos and is right on **{percent(point.accuracy)}**."
    )


def curve_table(curve: CoverageCurve) -> pd.DataFrame:
    """The curve thinned out to what a page can show: fractions in [0, 1]."""
    step = max(1, len(curve.thresholds) // _POINTS)
    rows = sorted({*range(0, len(curve.thresholds), step), len(curve.thresholds) - 1})
    return pd.DataFrame(
        {
            "at least so sure": curve.thresholds[rows],
            "photos answered": curve.coverage[rows],
            "answers right": curve.accuracy[rows],
        }
    )


def reliability_table(bins: tuple[ReliabilityBin, ...]) -> pd.DataFrame:
    """One row a bin: fractions in [0, 1]."""
    return pd.DataFrame([{"certainty": row.confidence, "right": row.accuracy, "photos": row.count} for row in bins])


def curve_chart(table: pd.DataFrame, point: OperatingPoint, curve: CoverageCurve) -> alt.LayerChart | alt.FacetChart:
    """Accuracy against coverage, with the chosen threshold as a dot.

    Args:
        table: one row a threshold, in columns `photos answered` and `answers right`, 0…1.
        point: the chosen threshold and what it does.
        curve: the whole curve.
    """
    lowest = min(float(table["answers right"].min()), float(curve.accuracy[-1]))
    lines = (
        alt.Chart(table)
        .mark_line(strokeWidth=2.5, clip=True)
        .encode(
            x=alt.X("photos answered:Q", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("answers right:Q", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[max(0.0, lowest - 0.02), 1])),
            tooltip=[alt.Tooltip(f"{column}:Q", format=".1%") for column in table.columns],
        )
    )
    if point.accuracy is None:
        return alt.layer(lines).properties(height=220)
    chosen = pd.DataFrame([{"photos answered": point.coverage, "answers right": point.accuracy}])
    dot = (
        alt.Chart(chosen)
        .mark_point(filled=True, size=160, opacity=1)
        .encode(x="photos answered:Q", y="answers right:Q")
    )
    return alt.layer(lines, dot).properties(height=220)


def recorded_chart(table: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """`reliability_chart` with a colour and a shape for each kind of photo, in the column `of`."""
    kinds = table["of"].unique().tolist()
    shape = alt.Shape("of:N", scale=alt.Scale(domain=kinds, range=["circle", "triangle-up"]), legend=None)
    colour = alt.Color(
        "of:N",
        scale=alt.Scale(domain=kinds, range=["#0072b2", "#d55e00"]),
        legend=alt.Legend(title=None, orient="bottom", offset=0),
    )
    line, dots = _diagonal(), _dots(table)
    return alt.layer(line, dots.encode(color=colour, shape=shape)).properties(height=260)


def reliability_chart(table: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Accuracy against confidence; larger dots stand for more photos."""
    return alt.layer(_diagonal(), _dots(table)).properties(height=260)


def _diagonal() -> alt.Chart:
    ends = pd.DataFrame({"certainty": [0.0, 1.0], "right": [0.0, 1.0]})
    return alt.Chart(ends).mark_line(strokeDash=[4, 4], color="#8a9184").encode(x="certainty:Q", y="right:Q")


def _dots(table: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(table)
        .mark_point(filled=True, opacity=0.9)
        .encode(
            x=alt.X("certainty:Q", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("right:Q", title="answers right", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            size=alt.Size("photos:Q", legend=None, scale=alt.Scale(range=[30, 400])),
            tooltip=[
                alt.Tooltip("certainty:Q", format=".1%"),
                alt.Tooltip("right:Q", format=".1%", title="right"),
                alt.Tooltip("photos:Q"),
            ],
        )
    )
