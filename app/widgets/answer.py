"""The answer to “which flower is this?”: the name, how sure it is, and the runners-up."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import streamlit as st

from app.widgets.words import MARKS, capital, either, latin, percent
from flowers_core.prediction import Group, Prediction
from flowers_core.taxonomy import Taxonomy

TOP = 5
# A genus or family is worth naming when it says more than the best single class does, and is likelier than not.
WORTH_NAMING = 0.5


@dataclass(frozen=True)
class Answer:
    """What is said about a photo, in words: a mark ("Sure"), a headline, and one or two sentences."""

    verdict: str
    mark: str
    headline: str
    sentences: str


def put_in_words(prediction: Prediction, taxonomy: Taxonomy) -> Answer:
    """The honest wording of a prediction."""
    best = prediction.candidates[0]
    name = capital(taxonomy[best.label].name)
    headline = name
    if prediction.verdict == "sure":
        text = f"{percent(best.probability)} probable; of the other flowers that the model knows, none is plausible."
    elif prediction.verdict == "between":
        names = [taxonomy[label].name for label in prediction.plausible]
        together = sum(prediction.probabilities[label - 1] for label in prediction.plausible)
        headline = capital(either(names)) if len(names) == 2 else f"Probably {taxonomy[best.label].name}"
        text = (
            f"The model cannot decide between {either(names)}; "
            f"together they are {percent(float(together))} probable. Look at what tells them apart below."
        )
    else:
        headline = f"Perhaps {taxonomy[best.label].name}"
        text = (
            f"Its best guess is only {percent(best.probability)} probable. The model knows {len(taxonomy)} flowers and "
            "names one of them whatever the photo shows, even when it shows something else."
        )
    return Answer(prediction.verdict, MARKS[prediction.verdict], headline, text)


def roll_up(prediction: Prediction) -> list[Group]:
    """The genus and family that are likelier than not and gather more than one class, for when no class stands out."""
    best = [groups[0] for groups in (prediction.genera, prediction.families) if groups]
    floor = max(WORTH_NAMING, prediction.candidates[0].probability + 0.05)
    return [group for group in best if len(group.labels) > 1 and group.probability >= floor]


def draw_answer(prediction: Prediction, taxonomy: Taxonomy) -> None:
    """The name large, its place in botany, and how sure the answer is."""
    answer = put_in_words(prediction, taxonomy)
    taxon = taxonomy[prediction.candidates[0].label]
    family = "" if taxon.latin == taxon.family else f' <span class="family">· family {escape(taxon.family)}</span>'
    st.html(
        f'<section class="answer" aria-label="Answer">'
        f"<h2>{escape(answer.headline)}</h2>"
        f'<p class="latin">{latin(taxon)}{family}</p>'
        f'<p class="verdict {answer.verdict}"><span class="mark">{answer.mark}</span> {escape(answer.sentences)}</p>'
        "</section>"
    )
    if prediction.verdict != "sure":
        draw_roll_up(prediction)


def draw_roll_up(prediction: Prediction) -> None:
    """What can be said with more confidence than any single name."""
    groups = roll_up(prediction)
    if groups:
        rows = ((_group_name(group), group.probability) for group in groups)
        st.html(
            '<p class="lede">What can be said with more confidence:</p>'
            + _bars(rows, "plain", "Genus and family with their probabilities")
        )


def draw_candidates(prediction: Prediction, taxonomy: Taxonomy, count: int = TOP) -> None:
    """The most probable classes as bars."""
    rows = (
        (f"{escape(capital(taxonomy[c.label].name))} <i>{_short_latin(taxonomy, c.label)}</i>", c.probability)
        for c in prediction.top(count)
    )
    st.html(_bars(rows, "", f"The {count} most probable flowers"))


def _group_name(group: Group) -> str:
    """As HTML; a genus is set in italics, a family is not."""
    return f"Genus <i>{escape(group.name)}</i>" if group.rank == "genus" else f"Family {escape(group.name)}"


def _short_latin(taxonomy: Taxonomy, label: int) -> str:
    taxon = taxonomy[label]
    return escape(taxon.scientific_name or taxon.genus or taxon.family)


def _bars(rows: Iterable[tuple[str, float]], kind: str, label: str) -> str:
    items = "".join(
        f'<li class="{"first" if index == 0 else ""}"><div class="line"><span class="name">{text}</span>'
        f'<span class="share">{percent(share)}</span></div>'
        f'<div class="track" aria-hidden="true"><div class="fill" style="width:{100 * share:.1f}%"></div></div></li>'
        for index, (text, share) in enumerate(rows)
    )
    return f'<ol class="bars {kind}" aria-label="{escape(label)}">{items}</ol>'
