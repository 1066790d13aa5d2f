"""The answer to “which flower is this?”: the name, how sure it is, and the runners-up."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import streamlit as st

from app.widgets.words import MARKS, capital, latin, listed, lower, percent
from flowers_core.prediction import Group, Prediction
from flowers_core.taxonomy import Taxonomy

TOP = 5
# Families that are named at most, and the share below which one is not.
GROUPS = 3
NOTICEABLE = 0.05


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
        headline = capital(listed(names, "or")) if len(names) == 2 else f"Probably {taxonomy[best.label].name}"
        text = (
            f"The model cannot decide between {listed(names, 'and')}; "
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
    """Genus and families worth naming when no class stands out: where relatives together beat the best single class.

    The genus, if it is one; then the families that hold a noticeable share, the most probable first.
    """
    better = prediction.candidates[0].probability + NOTICEABLE
    groups = [group for group in prediction.genera[:1] if group.probability >= better]
    if prediction.families[0].probability >= better:
        groups += [group for group in prediction.families[:GROUPS] if group.probability >= NOTICEABLE]
    return groups


def draw_answer(prediction: Prediction, taxonomy: Taxonomy) -> None:
    """The name large, its place in botany, and how sure the answer is."""
    answer = put_in_words(prediction, taxonomy)
    taxon = taxonomy[prediction.candidates[0].label]
    family = "" if taxon.latin == taxon.family else f' <span class="family">· family {escape(taxon.family)}</span>'
    note = f'<p class="note">On this name in the data set: {escape(lower(taxon.note))}</p>' if taxon.note else ""
    st.html(
        f'<section class="answer" aria-label="Answer">'
        f"<h2>{escape(answer.headline)}</h2>"
        f'<p class="latin">{latin(taxon)}{family}</p>{note}'
        f'<p class="verdict {answer.verdict}"><span class="mark">{answer.mark}</span> {escape(answer.sentences)}</p>'
        "</section>"
    )


def draw_roll_up(prediction: Prediction) -> None:
    """What can be said with more confidence than any single name; nothing where there is no such thing."""
    groups = [] if prediction.sure else roll_up(prediction)
    if groups:
        rows = ((_group_name(group), group.probability) for group in groups)
        st.html(
            '<p class="lede">Taken together with their relatives</p>'
            + _bars(rows, "plain", "Genus and families with their probabilities")
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
