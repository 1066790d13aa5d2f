"""How well a model tells what it does not know, as it was measured: a table of scores, and their ROC curves."""

import altair as alt
import pandas as pd
import streamlit as st

from app.models.accuracy_chart import COLOURS
from app.resources import records
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.records.confidence import ROC_STEPS, NoveltyFigures
from flowers_core.inference.records.near_novelty import NearNoveltyRecord
from flowers_core.reports.confidence import SCORES

MEANINGS = {
    "AUROC": "How often a flower scores higher than another picture: 100 % always, 50 % as by tossing a coin",
    "pass": "Share of the other pictures that pass where 95 % of the flowers do: low is good",
}


def draw_unknown(bundle: Bundle) -> None:
    """What was measured of a model's doubt, for each kind of picture that it does not know."""
    record = bundle.manifest.confidence
    st.subheader("Pictures that show none of its flowers")
    if record is None or not record.novelty_figures:
        st.info(f"How well {bundle.name} tells what it does not know was not measured.")
    else:
        for figures in record.novelty_figures.values():
            draw_detection(figures)
    # Whole trainings are closer to the models that are shipped than a head alone.
    found = sorted(records.near_novelty(), key=lambda left_out: left_out.protocol != "trained")
    if found:
        st.subheader("Flowers that were left out of training")
        st.markdown(left_out_sentence(found[0]))
    for left_out in found:
        st.markdown(networks_sentence(left_out))
        draw_scores(left_out_table(left_out), "How well each score tells flowers that were learnt from others")


def draw_detection(figures: NoveltyFigures) -> None:
    """One kind of picture: the sentence, the table, the curves."""
    st.markdown(sentence(figures))
    draw_scores(score_table(figures), "How well each score tells flowers from pictures that show none of them")
    curves = curve_table(figures)
    if not curves.empty:
        st.altair_chart(curve_chart(curves), alt="Share of flowers that pass against the share of other pictures")


def draw_scores(table: pd.DataFrame, alt_text: str) -> None:
    """A table of scores.

    Args:
        table: one row a score, shares in [0, 1] in the columns `AUROC` and `pass`.
        alt_text: what it shows.
    """
    st.dataframe(
        table.style.format(_share, subset=["AUROC", "pass"]),
        hide_index=True,
        column_config={name: st.column_config.Column(help=text) for name, text in MEANINGS.items()},
        alt=alt_text,
    )


def left_out_sentence(record: NearNoveltyRecord) -> str:
    """What was compared, in words."""
    left_out = len(record.draws[0].left_out)
    return (
        f"Harder: test photos of {102 - left_out} flowers that were learnt against those of {left_out} that were not, "
        f"in {len(record.draws)} draws, each with a network of its own instead of this model. The figures are means "
        "over the draws, with the lowest and the highest."
    )


def networks_sentence(record: NearNoveltyRecord) -> str:
    """What the networks of the draws are, in words."""
    if record.protocol == "frozen":
        return f"By a head alone, fitted without these flowers to {record.network} as ImageNet left it:"
    branches = f", in {1 + len(record.other_branches)} branches" if record.other_branches else ""
    return f"By the last layers, fine-tuned without these flowers{branches}:"


def left_out_table(record: NearNoveltyRecord) -> pd.DataFrame:
    """One row a score, the best first; means over the draws in [0, 1], the range of the draws in words."""
    rows = []
    for name in record.draws[0].scores:
        found = [draw.scores[name] for draw in record.draws]
        areas, passing = [one.auroc for one in found], [one.fpr for one in found]
        rows.append(
            {
                "score": SCORES.get(name, name),
                "AUROC": sum(areas) / len(areas),
                "from draw to draw": _interval(min(areas), max(areas)),
                "pass": sum(passing) / len(passing),
                "its range": _interval(min(passing), max(passing)),
            }
        )
    return pd.DataFrame(rows).sort_values("AUROC", ascending=False)


def sentence(figures: NoveltyFigures) -> str:
    """What was compared, and what the rule in use makes of it, in words."""
    are = "is" if figures.others_sure == 1 else "are"
    return (
        f"{figures.known:,} test photos of its flowers against {figures.others} photos that show none of these. A "
        "score should be high for the first and low for the second. By the rule in use (distance and top probability), "
        f"{figures.others_flagged} of the {figures.others} look like none of the flowers; {figures.others_sure} "
        f"{are} named without doubt all the same."
    )


def score_table(figures: NoveltyFigures) -> pd.DataFrame:
    """One row a score, the best first; shares in [0, 1], with 95 % intervals in words."""
    rows = [
        {
            "score": SCORES.get(name, name),
            "AUROC": found.auroc,
            "95 % interval": _interval(found.auroc_low, found.auroc_high),
            "pass": found.fpr,
            "its interval": _interval(found.fpr_low, found.fpr_high),
        }
        for name, found in figures.scores.items()
    ]
    return pd.DataFrame(rows).sort_values("AUROC", ascending=False)


def curve_table(figures: NoveltyFigures) -> pd.DataFrame:
    """The ROC curves that were kept, one row a point; shares in [0, 1]."""
    return pd.DataFrame(
        [
            {"score": SCORES.get(name, name), "flowers that pass": step / ROC_STEPS, "others that pass": share}
            for name, found in figures.scores.items()
            for step, share in enumerate(found.fpr_at)
        ]
    )


def curve_chart(table: pd.DataFrame) -> alt.Chart:
    """ROC curves; the nearer to the upper left corner, the better. Their left upper part, where scores differ."""
    names = table["score"].unique().tolist()
    return (
        alt.Chart(table)
        .mark_line(strokeWidth=2.5, clip=True)
        .encode(
            x=alt.X("others that pass:Q", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 0.5])),
            y=alt.Y("flowers that pass:Q", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0.5, 1])),
            order="flowers that pass:Q",
            color=alt.Color(
                "score:N",
                scale=alt.Scale(domain=names, range=list(COLOURS)),
                legend=alt.Legend(title=None, orient="bottom", offset=0, columns=1, labelLimit=280),
            ),
            tooltip=[
                alt.Tooltip("score:N"),
                *(alt.Tooltip(f"{name} that pass:Q", format=".1%") for name in ("flowers", "others")),
            ],
        )
        .properties(height=520)
    )


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _interval(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %"
