"""*Why not sure*: what speaks for each candidate, what would settle it, and how far the photo is from known ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from app.elements.concept_cards import ConceptCard, draw_concepts, typical_flowers
from app.elements.photo_grid import Card, draw_cards
from app.elements.words import capital, listed, percent
from app.identify.target_choice import Asked
from app.identify.what import painted_concept, shares_of
from app.resources import bundle_files, galleries, models
from app.resources.model_pictures import class_picture
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.concepts.classes import settling
from flowers_core.explain.concepts.concepts import Concepts
from flowers_core.explain.explanation import ContrastTarget
from flowers_core.inference.prediction import Candidate, Prediction
from flowers_core.inference.prototypes import Prototypes

# Candidates that are looked at, and concepts for and against each.
CANDIDATES, EACH = 3, 2


@dataclass(frozen=True)
class Distance:
    """How near a photo lies to a flower.

    Attributes:
        label: the flower, from 1.
        cosine: with the mean of its training photos.
        usual: the cosine that nearly all training photos have with the mean of their own flower.
    """

    label: int
    cosine: float
    usual: float


def draw_why_not_sure(asked: Asked) -> None:
    """How near each candidate lies, what speaks for it and against the others, and what would settle it."""
    identified, taxonomy = asked.identified, asked.identified.inference.bundle.taxonomy
    candidates = candidates_of(identified.prediction, asked.label)
    labels = [candidate.label for candidate in candidates]
    prototypes = galleries.prototypes(identified.inference.bundle)
    if prototypes is not None:
        embedding = identified.inference.forward.embedding[0]
        found = [distance(prototypes, embedding, label) for label in range(1, len(taxonomy) + 1)]
        st.markdown(distance_sentence(found, labels, taxonomy))
    _draw_nearest(asked, labels, taxonomy)
    concepts = models.concepts(identified.inference.bundle)
    if concepts is None:
        return
    for candidate in candidates:
        st.subheader(f"{capital(taxonomy[candidate.label].name)}, {percent(candidate.probability)} probable")
        others = [label for label in (asked.rival, *labels) if label and label != candidate.label]
        _draw_candidate(asked, concepts, candidate.label, others[0], taxonomy)


def candidates_of(prediction: Prediction, asked: int) -> tuple[Candidate, ...]:
    """The flowers between which the answer is not decided, the most probable first; two at least.

    Args:
        prediction: of the photo.
        asked: a flower that somebody asks about, from 1; it comes last where it is none of them.
    """
    undecided = prediction.top(min(max(len(prediction.plausible), 2), CANDIDATES))
    others = prediction.candidates[len(undecided) :]
    return (*undecided, *(candidate for candidate in others if candidate.label == asked))


def distance(prototypes: Prototypes, embedding: np.ndarray, label: int) -> Distance:
    """How near an embedding lies to a flower.

    Args:
        prototypes: of the model.
        embedding: (c,), of any length but zero.
        label: the flower, from 1.
    """
    cosine = float(prototypes.vectors[label - 1] @ embedding / np.linalg.norm(embedding))
    return Distance(label, cosine, prototypes.threshold)


def distance_sentence(found: Sequence[Distance], candidates: Sequence[int], taxonomy: Taxonomy) -> str:
    """How near the photo lies to the candidates, and to the nearest flower of all.

    Args:
        found: the distances to all flowers, in the order of the labels.
        candidates: the flowers between which the answer is not decided.
        taxonomy: the classes' names.
    """
    nearest = max(found, key=lambda one: one.cosine)
    to_each = [f"{taxonomy[label].name} {found[label - 1].cosine:.2f}" for label in candidates]
    begins = f"Its likeness to the mean photo of each: {listed(to_each, 'and')}."
    usual = f"Nearly all known photos reach {nearest.usual:.2f} with their own flower"
    if nearest.cosine < nearest.usual:
        most = f"this one comes to {nearest.cosine:.2f} at most, with {taxonomy[nearest.label].name}"
        return f"{begins} {usual}; {most}. It lies far from all that the model knows."
    near = [one for one in found if one.cosine >= one.usual]
    if len(near) == 1:
        return f"{begins} {usual}, and this one only with {taxonomy[near[0].label].name}."
    return f"{begins} {usual}, and this one with {len(near)} flowers: it lies between them."


def _draw_nearest(asked: Asked, labels: Sequence[int], taxonomy: Taxonomy) -> None:
    """For each candidate the training photo that is most like this one: a person sees which it is."""
    identified = asked.identified
    if identified.gallery is None:
        return
    cards = []
    for label in labels:
        found = identified.gallery.search(
            identified.inference.forward.embedding[0], 1, splits={"train"}, labels={label}, exclude=identified.itself
        )
        name = taxonomy[label].name
        cards += [
            Card(
                near.photo,
                _caption(capital(escape(name)), f"the nearest training photo, similarity {near.similarity:.2f}"),
                f"The nearest training photo of {name}",
                stand_in=class_picture(asked.identified.inference.bundle, label),
            )
            for near in found
        ]
    draw_cards("not-sure", cards)


def _draw_candidate(asked: Asked, concepts: Concepts, label: int, rival: int, taxonomy: Taxonomy) -> None:
    """The concepts that speak most for a candidate rather than the other, and the one that would settle it."""
    bundle = asked.identified.inference.bundle
    found = shares_of(asked, concepts, ContrastTarget(label, rival))
    name, other = escape(taxonomy[label].name), escape(taxonomy[rival].name)
    cards = []
    for concept in np.argsort(-found.shares, kind="stable")[:EACH].tolist():
        words = f"Typical of {escape(typical_flowers(bundle, concepts, concept, taxonomy))}"
        if found.shares[concept] > 0:
            cards.append(
                ConceptCard(
                    concept,
                    _caption(f"Speaks for {name} rather than {other}", words),
                    painted_concept(asked, found, concept),
                )
            )
    gains = settling(concepts, bundle_files.head(bundle), found.presence, label, rival)
    missing = int(np.argmax(gains))
    if gains[missing] > 0:
        words = f"Photos of {name} have more of it; with as much, this one would gain {gains[missing]:.1f} logits"
        cards.append(ConceptCard(missing, _caption("Would settle it", words)))
    draw_concepts(f"not-sure-{label}", cards, bundle, concepts)


def _caption(title: str, words: str) -> str:
    return f'<span class="name">{title}</span><br><span class="quiet">{words}</span>'
