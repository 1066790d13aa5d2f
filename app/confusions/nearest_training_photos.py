"""A mistake beside what may have led to it: the nearest training photos of its class and of the predicted one."""

import math
from html import escape

import streamlit as st

from app.elements.photo_grid import Card, draw_cards
from app.elements.small_map import small_map
from app.elements.words import capital
from app.resources import models
from app.resources.model_pictures import class_picture
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.evaluation.report import Mistake
from flowers_core.inference.bundle import Bundle
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.neighbour import Neighbour

EACH = 1
PER_PAGE = 6


def beside(gallery: Gallery, mistake: Mistake, count: int = EACH) -> tuple[list[Neighbour], list[Neighbour]]:
    """The training photos most like a mistaken photo: of the class it is of, and of the one it was called.

    A copy of the photo itself in the training split counts: it would be the best explanation of all.

    Args:
        gallery: the known photos.
        mistake: the photo, its label and what it was called.
        count: of photos of each class.

    Returns:
        Those of its true class and those of the predicted one, nearest first.
    """
    vector = gallery.vector(mistake.photo_id)
    of_true, of_called = (
        gallery.search(vector, count, splits={"train"}, labels={label}, exclude={mistake.photo_id})
        for label in (mistake.true_label, mistake.predicted_label)
    )
    return of_true, of_called


def beside_sentence(of_true: list[Neighbour], of_called: list[Neighbour], mistake: Mistake, taxonomy: Taxonomy) -> str:
    """Which of the two classes is nearer, as far as the training photos tell.

    Args:
        of_true: neighbours of the true class, nearest first.
        of_called: neighbours of the predicted class, nearest first.
        mistake: the photo, its label and what it was called.
        taxonomy: the classes' names.

    Returns:
        A sentence as Markdown; "" where either class has no neighbour.
    """
    true, called = taxonomy[mistake.true_label].name, taxonomy[mistake.predicted_label].name
    if not of_true or not of_called:
        return ""
    nearest, rival = of_true[0].similarity, of_called[0].similarity
    if rival > nearest:
        return (
            f"To the model it is more like a training photo of **{called}** ({rival:.2f}) than any of {true} "
            f"({nearest:.2f})."
        )
    return (
        f"A training photo of {true} is the nearer one ({nearest:.2f} against {rival:.2f} of {called}), and the model "
        "still decided otherwise."
    )


def contrast_sentence(mistake: Mistake, temperature: float, taxonomy: Taxonomy) -> str:
    """What the map of the one class against the other adds up to.

    Args:
        mistake: the photo, its label and what it was called.
        temperature: what the logits were divided by.
        taxonomy: the classes' names.
    """
    true, called = taxonomy[mistake.true_label].name, taxonomy[mistake.predicted_label].name
    if mistake.true_probability <= 0:
        return f"Orange speaks for {called}, blue for {true}."
    gap = temperature * math.log(mistake.confidence / mistake.true_probability)
    return f"Orange speaks for {called}, blue for {true}: the former is ahead by {gap:.1f} logits."


def draw_beside(
    bundle: Bundle, numeric_format: str, gallery: Gallery, shown: list[Mistake], taxonomy: Taxonomy
) -> None:
    """Each mistake in a row of its own: a map of one class against the other, and the nearest training photos of both.

    Args:
        bundle: the model.
        numeric_format: of the model, such as `int8`.
        gallery: the known photos.
        shown: the mistakes on this page.
        taxonomy: the classes' names.
    """
    for mistake in shown:
        if mistake.photo_id not in gallery:
            continue
        of_true, of_called = beside(gallery, mistake)
        true, called = taxonomy[mistake.true_label].name, taxonomy[mistake.predicted_label].name
        cards = [
            Card(
                mistake.photo,
                f'<span class="name">{escape(capital(true))}</span><br>called {escape(called)}<br>'
                f'<span class="quiet">test photo {mistake.photo_id}</span>',
                f"{capital(true)}, called {called}, test photo {mistake.photo_id}",
                stand_in=class_picture(bundle, mistake.true_label),
            ),
            *(_card(found, bundle, taxonomy) for found in (*of_true, *of_called)),
        ]
        painted = small_map(mistake.photo, bundle, numeric_format, mistake.predicted_label, mistake.true_label)
        said = beside_sentence(of_true, of_called, mistake, taxonomy)
        if painted is not None:
            caption = f'{escape(capital(called))} rather than {escape(true)}<br><span class="quiet">heat map</span>'
            alt = f"What speaks for {called} rather than {true} in test photo {mistake.photo_id}"
            cards.insert(1, Card(mistake.photo, caption, alt, painted=painted, link=False))
            said = f"{contrast_sentence(mistake, models.temperature(bundle), taxonomy)} {said}"
        draw_cards(f"beside-{mistake.photo_id}", cards, smallest=84)
        st.markdown(said)


def _card(found: Neighbour, bundle: Bundle, taxonomy: Taxonomy) -> Card:
    name = capital(taxonomy[found.label].name)
    return Card(
        photo=found.photo,
        caption=(
            f'<span class="name">{escape(name)}</span><br>similarity {found.similarity:.2f}<br>'
            f'<span class="quiet">training photo {found.photo_id}</span>'
        ),
        alt=f"{name}, training photo {found.photo_id}",
        stand_in=class_picture(bundle, found.label),
    )
