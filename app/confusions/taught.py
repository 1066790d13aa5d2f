"""The training photos that taught the mistakes in view: they speak for the wrong name rather than the right one."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from app.elements.photo_grid import Card, draw_cards
from app.elements.words import capital, percent
from app.resources import galleries
from flowers_core.data.photo_ref import PhotoRef
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.errors import FlowersError
from flowers_core.evaluation.predictions import Predictions
from flowers_core.evaluation.report import Mistake
from flowers_core.explain.representers import Representers
from flowers_core.inference.bundle import Bundle

SHOWN = 8
_KEY = "taught"


def teachers(
    representers: Representers, predictions: Predictions, found: Sequence[Mistake], most: int = SHOWN
) -> list[tuple[int, int, float]]:
    """The training photos that taught most of some mistakes.

    Args:
        representers: of the model.
        predictions: with the logits of the mistaken photos.
        found: the mistakes, at least one; each counts alike.
        most: photos at most.

    Returns:
        Id, label and part of the teaching of each photo, the largest part first.
    """
    rows = {int(photo_id): row for row, photo_id in enumerate(predictions.ids)}
    logits = predictions.logits[[rows[mistake.photo_id] for mistake in found]]
    called, true = (
        np.array([getattr(mistake, name) for mistake in found]) for name in ("predicted_label", "true_label")
    )
    parts = representers.taught(logits, called, true).mean(axis=0)
    order = np.argsort(-parts, kind="stable")[:most]
    return [(int(representers.ids[at]), int(representers.labels[at]), float(parts[at])) for at in order]


def draw_taught(bundle: Bundle, predictions: Predictions, found: Sequence[Mistake], taxonomy: Taxonomy) -> None:
    """On request, the training photos that taught the mistakes.

    Args:
        bundle: the model.
        predictions: what it said of the photos.
        found: its mistakes in view, at least one.
        taxonomy: the classes' names.
    """
    try:
        representers = galleries.representers(bundle)
    except FlowersError:
        return  # the mistakes stand without what taught them
    if representers is None or not st.toggle(
        "What taught this",
        key=_KEY,
        bind="query-params",
        help="The training photos that speak most for the wrong name rather than the right one.",
    ):
        return
    shown = teachers(representers, predictions, found)
    st.markdown(taught_sentence(len(found), sum(part for _, _, part in shown), len(shown), len(representers)))
    draw_cards(
        _KEY,
        [_card(bundle.photo_set.ref(photo_id), label, part, taxonomy) for photo_id, label, part in shown],
        smallest=84,
    )


def taught_sentence(mistakes: int, part: float, shown: int, learnt: int) -> str:
    """How much of the teaching the photos below did.

    Args:
        mistakes: how many are meant.
        part: of the teaching, in [0, 1].
        shown: photos below.
        learnt: photos that the model learnt from.
    """
    what = "this mistake" if mistakes == 1 else f"these {mistakes} mistakes"
    return (
        f"Of all that speaks for the wrong name in {what}, {percent(part)} comes from these {shown} of {learnt:,} "
        "training photos. A wrong label among them is worth mending."
    )


def _card(photo: PhotoRef, label: int, part: float, taxonomy: Taxonomy) -> Card:
    name = capital(taxonomy[label].name)
    return Card(
        photo=photo,
        caption=(
            f'<span class="name">{escape(name)}</span><br>{100 * part:.1f} % of it<br>'
            f'<span class="quiet">training photo {photo.id}</span>'
        ),
        alt=f"{name}, training photo {photo.id}",
    )
