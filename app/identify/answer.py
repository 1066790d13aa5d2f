"""The answer to “which flower is this?”: the name, how sure it is, and the runners-up."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import streamlit as st

from app.elements.words import capital, latin, listed, lower, percent
from app.resources import models
from app.resources.session import Inference
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.novelty import PrototypeDistance, nearest_prototypes
from flowers_core.inference.prediction import Group, Prediction
from flowers_core.inference.prediction_set import common_taxon

TOP = 5
# From so many times the probability of the next on, a flower leads clearly.
CLEAR_LEAD = 2
# From so many times the usual distance on, the distance says why a photo looks strange; below, the doubt between names.
FAR = 1.15
# Known flowers that a strange photo is compared with.
NEAREST = 3
# Names that a sentence lists at most; a longer set tells nobody anything.
LISTED = 6
# What flowers must be worth together for one of them to be most likely.
LIKELY = 0.5
# Flowers that the model shows its own pictures of.
PICTURED = 3
# Families that are named at most, and the share below which one is not.
GROUPS = 3
NOTICEABLE = 0.05


@dataclass(frozen=True)
class Answer:
    """What is said about a photo, in words.

    Attributes:
        verdict: the prediction's.
        mark: the verdict in a word or two, such as "Sure".
        headline: the name, or what is said in its place.
        sentences: one or two that explain it.
    """

    verdict: str
    mark: str
    headline: str
    sentences: str


@dataclass(frozen=True)
class Unlike:
    """Why a photo looks like none of the flowers.

    Attributes:
        nearest: the flowers whose photos it is nearest to, nearest first, at least one.
        usual: how far a photo of a known flower usually is from its own kind.
    """

    nearest: tuple[PrototypeDistance, ...]
    usual: float


def close_rival(prediction: Prediction) -> int | None:
    """The label of the one other flower that is nearly as probable, where the answer is undecided between the two."""
    best, second = prediction.top(2)
    two = prediction.verdict == "between" and len(prediction.plausible) == 2
    return second.label if two and second.probability > best.probability / CLEAR_LEAD else None


def describe(prediction: Prediction, taxonomy: Taxonomy, unlike: Unlike | None = None) -> Answer:
    """The honest wording of a prediction.

    Args:
        prediction: of the photo.
        taxonomy: the classes' names.
        unlike: why it looks like none of the flowers, where it does and that is known.
    """
    best, second = prediction.top(2)
    name = taxonomy[best.label].name
    if prediction.verdict == "sure":
        text = f"{percent(best.probability)} probable; of the other flowers that the model knows, none is plausible."
        return Answer("sure", "Sure", capital(name), text)
    if prediction.verdict == "between":
        others = [taxonomy[label].name for label in prediction.plausible[1:]]
        if close_rival(prediction) is not None:
            both = f"{name} is {percent(best.probability)} and {others[0]} {percent(second.probability)} probable"
            text = f"{capital(both)}. {kinship(prediction, taxonomy)}What tells them apart is shown below."
            return Answer("between", "Undecided", capital(f"{name} or {others[0]}"), text)
        text = f"{percent(best.probability)} probable; {listed(others, 'or')} cannot be ruled out."
        return Answer("between", "Likely", f"Probably {name}", f"{text} {kinship(prediction, taxonomy)}".rstrip())
    if prediction.novel:
        text = f"What it shows looks unlike the photos of all {len(taxonomy)} flowers that the model knows."
        if unlike is not None:
            text = f"{text} {distance_sentence(unlike, taxonomy)}"
        guess = f"If it is one of them after all, the best guess is {name}, {percent(best.probability)} probable."
        return Answer("unsure", "Not known", f"None of the {len(taxonomy)} flowers", f"{text} {guess}")
    if prediction.probable:
        text = f"{percent(best.probability)} probable. Without doubt the model names only what is more probable still."
        return Answer("unsure", "Likely", f"Probably {name}", text)
    little = "" if best.probability >= 0.5 else "only "
    text = (
        f"Its best guess is {little}{percent(best.probability)} probable. The model knows {len(taxonomy)} flowers and "
        "names one of them whatever the photo shows, even when it shows something else."
    )
    return Answer("unsure", "Not sure", f"Perhaps {name}", f"{text} {set_sentence(prediction, taxonomy)}".rstrip())


def kinship(prediction: Prediction, taxonomy: Taxonomy) -> str:
    """The genus or family that all plausible flowers share, as a sentence and a space; "" where they share none."""
    labels = prediction.plausible
    taxon = common_taxon(labels, taxonomy) if len(labels) > 1 else None
    if taxon is None:
        return ""
    rank = "genus" if all(taxonomy[label].genus == taxon for label in labels) else "family"
    return f"{'Both' if len(labels) == 2 else f'All {len(labels)}'} are of the {rank} {taxon}. "


def set_sentence(prediction: Prediction, taxonomy: Taxonomy) -> str:
    """The few flowers that the right one is most likely among, and what they share.

    Empty where they are one or many, or improbable even together: that is no flower, rather than one of them.
    """
    names = [taxonomy[label].name for label in prediction.plausible]
    together = sum(candidate.probability for candidate in prediction.top(len(names)))
    if not 1 < len(names) <= LISTED or together < LIKELY:
        return ""
    return f"Most likely it is one of these: {listed(names, 'or')}. {kinship(prediction, taxonomy)}".rstrip()


def distance_sentence(unlike: Unlike, taxonomy: Taxonomy) -> str:
    """Which known flowers a strange photo is nearest to, and how far away it is even from these."""
    first, *others = (taxonomy[near.label].name for near in unlike.nearest)
    times = unlike.nearest[0].distance / unlike.usual
    then = f"; then come {listed(others, 'and')}" if others else ""
    if times < FAR:
        return f"Nearest is {first}, but it is not clearly that{then}."
    away = f"{times:.1f} times as far as a flower usually is from its kind"
    return f"Nearest is {first}, and even from that it is {away}{then}."


def beside_whole(of_whole: Prediction, taxonomy: Taxonomy) -> str:
    """What the whole photo is called, shown above the answer about a part of it.

    Args:
        of_whole: of the whole photo.
        taxonomy: the classes' names.
    """
    best = of_whole.candidates[0]
    name, probability = taxonomy[best.label].name, percent(best.probability)
    return f"This is about the part that you chose; of the whole photo the model says {name}, {probability} probable."


def roll_up(prediction: Prediction) -> list[Group]:
    """Genus and families worth naming when no class stands out: where relatives together beat the best single class.

    The genus, if it is one; then the families that hold a noticeable share, the most probable first.
    """
    better = prediction.candidates[0].probability + NOTICEABLE
    groups = [group for group in prediction.genera[:1] if group.probability >= better]
    if any(group.probability >= better for group in prediction.families[:1]):
        groups += [group for group in prediction.families[:GROUPS] if group.probability >= NOTICEABLE]
    return groups


def unlike_of(inference: Inference) -> Unlike | None:
    """Why a photo looks like none of the flowers; None for a model that cannot tell."""
    head = models.confidence_head(inference.bundle)
    if head is None:
        return None
    nearest = nearest_prototypes(head.space, inference.forward.embedding[0], NEAREST)
    return Unlike(nearest, head.record.novelty.usual_distance)


def draw_answer(
    prediction: Prediction, taxonomy: Taxonomy, of_whole: Prediction | None = None, unlike: Unlike | None = None
) -> None:
    """The name large, its place in botany, and how sure the answer is.

    Args:
        prediction: of the photo.
        taxonomy: the classes' names.
        of_whole: of the whole photo, where the answer is about a part of it.
        unlike: why it looks like none of the flowers, where it does and that is known.
    """
    answer = describe(prediction, taxonomy, unlike)
    taxon = taxonomy[prediction.candidates[0].label]
    family = (
        ""
        if taxon.latin == taxon.family or not taxon.known_family
        else f' <span class="family">· family {escape(taxon.family)}</span>'
    )
    note = f'<p class="note">On this name in the data set: {escape(lower(taxon.note))}</p>' if taxon.note else ""
    part = "" if of_whole is None else f'<p class="eyebrow">{escape(beside_whole(of_whole, taxonomy))}</p>'
    # A strange photo has no place in botany; its best guesses stand below.
    place = "" if prediction.novel else f'<p class="latin">{latin(taxon)}{family}</p>{note}'
    st.html(
        f'<section class="answer" aria-label="Answer">{part}'
        f"<h2>{escape(answer.headline)}</h2>{place}"
        f'<p class="verdict {answer.verdict}"><span class="mark">{answer.mark}</span> {escape(answer.sentences)}</p>'
        "</section>"
    )


def looked_for(prediction: Prediction) -> list[int]:
    """The flowers of which it is worth showing what the model looks for: the plausible ones, three at most."""
    return [candidate.label for candidate in prediction.top(min(len(prediction.plausible) or 1, PICTURED))]


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
    """The most probable classes as bars.

    Args:
        prediction: of the photo.
        taxonomy: the classes' names.
        count: of the classes.
    """
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
    return escape(taxon.scientific_name or taxon.genus or taxon.known_family or "")


def _bars(rows: Iterable[tuple[str, float]], kind: str, label: str) -> str:
    items = "".join(
        f'<li class="{"first" if index == 0 else ""}"><div class="line"><span class="name">{text}</span>'
        f'<span class="share">{percent(share)}</span></div>'
        f'<div class="track" aria-hidden="true"><div class="fill" style="width:{100 * share:.1f}%"></div></div></li>'
        for index, (text, share) in enumerate(rows)
    )
    return f'<ol class="bars {kind}" aria-label="{escape(label)}">{items}</ol>'
