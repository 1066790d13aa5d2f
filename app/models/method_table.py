"""The methods of explanation compared, as they were measured."""

import pandas as pd
import streamlit as st

from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.methods import MethodRecord
from flowers_core.reports.default_method import default_sentence

BASELINE_TITLES = {"random": "random maps", "centre": "a map of the middle"}
#: What each column means. A column that no method has is not shown.
MEANINGS = {
    "deletion": "Mean probability while the photo is taken away, the map’s brightest parts first: low is good",
    "insertion": "Mean probability while the photo comes back in the same order: high is good",
    "over the middle": "Insertion less deletion, less that of a map of the photo’s middle: above 0 is good",
    "filled in": "Probability without the darkest parts less that without the brightest, filled in: high is good",
    "stability": "Rank correlation with a second run on the photo with noise that no eye sees: 1 is the same map",
    "consistency": "The same with much noise, while the answer stays: 1 is the same map",
    "responsiveness": "One less that correlation where noise changes the answer: near 1 the map changes with it",
    "sanity": "Rank correlation with the map of the model with its head shuffled: near 1 the map ignores the model",
    "complexity rise": "How much more complex the map is of a model that learnt nothing: above 0 is good",
    "mass": "Share of the map that lies on the flower",
    "rank": "Share of the map’s brightest part, as large as the flower, that lies on the flower",
    "seconds": "Mean time for one photo, on the machine that measured",
}
#: Names in the record of the columns that have another name there.
_KEYS = {"over the middle": "over_centre", "filled in": "road"}


def draw_methods(name: str, record: MethodRecord) -> None:
    """The sentence on the default method, and the table of all.

    Args:
        name: the model's.
        record: what was measured of each method.
    """
    st.markdown(default_sentence(record))
    draw_method_table(name, record)


def draw_method_table(name: str, record: MethodRecord) -> None:
    """The table of all methods.

    Args:
        name: the model's.
        record: what was measured of each method.
    """
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
        figures, known = record.figures[method], method in METHODS
        cells = {title: interval(figures.get(_KEYS.get(title, title))) for title in MEANINGS}
        cells["sanity"] = _plain(record.sanity.get(method), ".2f")
        cells["complexity rise"] = _plain(record.complexity_rise.get(method), "+.2f")
        cells["seconds"] = _plain(figures["seconds"].value if known else None, ".3f")
        rows.append({"method": METHODS[method].title if known else BASELINE_TITLES[method], **cells})
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def interval(figure: Interval | None) -> str | None:
    """A mean with its interval; None where there is none."""
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]" if figure else None


def _plain(value: float | None, form: str) -> str | None:
    return None if value is None else format(value, form)
