"""How many photos each class has in each split."""

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flowers_core.data.taxonomy import UNKNOWN_FAMILY, Taxonomy

SPLITS = ("train", "validation", "test")
TITLES = {"train": "training", "validation": "validation", "test": "test"}


def count_table(labels: NDArray[np.int64], splits: NDArray[np.str_], taxonomy: Taxonomy) -> pd.DataFrame:
    """One row a class, in order of label: names, counts by split and in all.

    Args:
        labels: (n,), each photo's label, from 1.
        splits: (n,), each photo's split.
        taxonomy: the classes' names.
    """
    counts = {split: np.bincount(labels[splits == split], minlength=len(taxonomy) + 1)[1:] for split in SPLITS}
    table = pd.DataFrame(
        {
            "number": [taxon.label for taxon in taxonomy],
            "class": [taxon.name for taxon in taxonomy],
            # A family that nobody said is told once, in its own column.
            "botanical name": ["" if taxon.latin == UNKNOWN_FAMILY else taxon.latin for taxon in taxonomy],
            "family": [taxon.family for taxon in taxonomy],
            **{TITLES[split]: counts[split] for split in SPLITS},
        }
    )
    table["all"] = table[[TITLES[split] for split in SPLITS]].sum(axis=1)
    return table


def count_chart(table: pd.DataFrame) -> alt.Chart:
    """Class sizes as stacked bars, largest class first."""
    titles = [TITLES[split] for split in SPLITS]
    long = table.melt(["number", "class", "all"], titles, var_name="split", value_name="photos")
    long["at"] = long["split"].map(titles.index)
    largest_first = alt.EncodingSortField("all", order="descending")
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("class:N", sort=largest_first, title=None, axis=alt.Axis(labels=False, ticks=False)),
            y=alt.Y("photos:Q", title="photos"),
            # The test photos, which most bars consist of, get the first and calmest colour.
            color=alt.Color(
                "split:N", scale=alt.Scale(domain=titles[::-1]), title=None, legend=alt.Legend(orient="top")
            ),
            order=alt.Order("at:O"),
            tooltip=["class:N", "split:N", "photos:Q", alt.Tooltip("all:Q", title="in all")],
        )
        .properties(height=220)
    )
