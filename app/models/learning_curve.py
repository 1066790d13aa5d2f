"""How a model learned: accuracy and learning rate, epoch by epoch."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

SERIES = {
    "training_top1": "training photos, augmented",
    "validation_top1": "validation photos",
}


def learning_curve(history: Mapping[str, Any]) -> alt.VConcatChart | None:
    """Two charts, one below the other.

    Args:
        history: what `history.json` of a bundle holds: `epochs`, each with `epoch` from 1, `learning_rate`, and the
            accuracies in [0, 1] that were measured.

    Returns:
        The charts, or None where no epoch is on record.
    """
    epochs = pd.DataFrame(history.get("epochs", ()))
    known = [name for name in SERIES if name in epochs and epochs[name].notna().any()]
    if not known:
        return None
    long = epochs.melt("epoch", known, "photos", "top-1").replace({"photos": SERIES})
    across = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d"))
    accuracy = (
        alt.Chart(long)
        .mark_line(point=True)
        .encode(
            x=across,
            y=alt.Y("top-1:Q", title="top-1", axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=False)),
            color=alt.Color("photos:N", legend=alt.Legend(title=None, orient="bottom", columns=1, labelLimit=240)),
            tooltip=["epoch:Q", "photos:N", alt.Tooltip("top-1:Q", format=".2%")],
        )
        .properties(height=220, width="container")
    )
    rate = (
        alt.Chart(epochs)
        .mark_line()
        .encode(x=across, y=alt.Y("learning_rate:Q", title="learning rate", axis=alt.Axis(format=".0e", tickCount=3)))
        .properties(height=90, width="container")
    )
    return alt.vconcat(accuracy, rate)
