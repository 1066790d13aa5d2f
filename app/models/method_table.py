"""The methods of explanation compared, as they were measured."""

import pandas as pd
import streamlit as st

from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.methods import MethodRecord
from flowers_core.reports.default_method import default_sentence

BASELINE_TITLES = {"random": "random maps", "centre": "a map of the middle"}
MEANINGS = {
    "deletion": "Mean probability while the photo is taken away, the map’s brightest parts first: low is good",
    "insertion": "Mean probability while the photo comes back in the same order: high is good",
    "stability": "Rank correlation with a second run on the photo with noise that no eye sees: 1 is the same map",
    "sanity": "Rank correlation with the map of the model with its head shuffled: near 1 the map ignores the model",
    "seconds": "Mean time for one photo, on the machine that measured",
}


def draw_methods(name: str, record: MethodRecord) -> None:
    """The sentence on the default method, and the table of all.

    Args:
        name: the model's.
        record: what was measured of each method.
    """
    st.markdown(default_sentence(record))
    st.dataframe(
        method_table(record),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={key: st.column_config.Column(help=text) for key, text in MEANINGS.items()},
        alt=f"Faithfulness, stability and time of each way to explain {name}",
    )


def method_table(record: MethodRecord) -> pd.DataFrame:
    """One row a method, the widest gap between insertion and deletion first, then the baselines; 95 % intervals."""
    rows = []
    for method in (*record.methods, *(name for name in BASELINE_TITLES if name in record.figures)):
        figures, sanity = record.figures[method], record.sanity.get(method)
        rows.append(
            {
                "method": METHODS[method].title if method in METHODS else BASELINE_TITLES[method],
                **{key: interval(figures[key]) for key in ("deletion", "insertion", "stability")},
                "sanity": None if sanity is None else f"{sanity:.2f}",
                "seconds": f"{figures['seconds'].value:.3f}" if method in METHODS else None,
            }
        )
    return pd.DataFrame(rows)


def interval(figure: Interval) -> str:
    """A mean with its interval."""
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
