"""*What*: the patterns that the photo is made of to the model, and how much each counts for the name."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from app.elements.concept_cards import ConceptCard, draw_concepts, typical_flowers
from app.elements.dataset_offer import offer_download
from app.elements.small_map import SIDE, painted
from app.elements.words import percent
from app.identify.explaining import ClassOrContrast
from app.identify.target_choice import Asked
from app.resources import bundle_files, models, records, session
from app.resources.data import photos_here
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.concepts.concepts import Concepts
from flowers_core.explain.concepts.shares import ConceptShares, concept_shares
from flowers_core.explain.explanation import ContrastTarget, Explanation

MOST = 8


def draw_what(asked: Asked) -> None:
    """The concepts that matter most: where each lies, its share, what it looks like in training photos; and the sum."""
    inference, taxonomy = asked.identified.inference, asked.identified.inference.bundle.taxonomy
    concepts = models.concepts(inference.bundle)
    if concepts is None:
        st.info(
            f"The patterns of {inference.bundle.name} were not looked for yet; "
            f"`flowers fit_concepts {inference.bundle.name}` does it.",
            icon=":material/interests:",
        )
        return
    found = shares_of(asked, concepts, asked.target)
    shown = found.strongest(MOST)
    st.markdown(shares_sentence(found, shown, len(concepts), taxonomy))
    cards = [
        ConceptCard(
            concept,
            f'<span class="name">{share_words(found, concept, taxonomy)}</span><br><span class="quiet">'
            f"Typical of {escape(typical_flowers(inference.bundle, concepts, concept, taxonomy))}</span>",
            painted_concept(asked, found, concept),
        )
        for concept in shown
    ]
    draw_concepts("what", cards, inference.bundle, concepts)
    photo_set = inference.bundle.photo_set
    if not photos_here(photo_set):
        offer_download(
            "what", "What a pattern looks like elsewhere is seen in training photos; they are not here.", photo_set
        )
    with st.expander("The sum"):
        st.table(sum_table(found, shown).set_index("what").map("{:+.2f}".format))
        st.markdown(
            "The model’s last layer is a sum, so the score of a name splits exactly over the patterns in its feature "
            "map, what they do not explain, and a constant of the name. Taking a pattern away takes its share away."
        )
        if (record := records.concepts(inference.bundle)) is not None:
            st.caption(
                f"Through its {record.concepts} patterns alone the model keeps {percent(record.accuracy_kept)} of its "
                f"accuracy on {record.photos} test photos."
            )


def shares_of(asked: Asked, concepts: Concepts, target: ClassOrContrast) -> ConceptShares:
    """The logit of the photo at hand, or the gap between two, split over the concepts.

    Args:
        asked: the photo and its answer.
        concepts: of the model.
        target: what is split.
    """
    inference = asked.identified.inference
    return concept_shares(
        inference.forward.features[0],
        concepts.dictionary,
        bundle_files.head(inference.bundle),
        bundle_files.bias(inference.bundle),
        target,
    )


def shares_sentence(found: ConceptShares, shown: list[int], count: int, taxonomy: Taxonomy) -> str:
    """What the shown concepts add up to, in plain words.

    Args:
        found: the split.
        shown: the concepts on the page.
        count: of concepts that the model tells apart.
        taxonomy: the classes' names.
    """
    name, total = taxonomy[found.target.label].name, sum(found.shares[concept] for concept in shown)
    begins = f"The model tells {count} patterns apart."
    if isinstance(found.target, ContrastTarget):
        rival = taxonomy[found.target.rival].name
        ahead = name if found.value >= 0 else rival
        return (
            f"{begins} All in all the photo speaks more for {ahead}, by {abs(found.value):.1f} logits; of these "
            f"{len(shown)} some speak for {name} and some for {rival}."
        )
    if found.value <= 0:
        return f"{begins} This photo hardly speaks for {name}; these {len(shown)} matter most all the same."
    part = percent(total / found.value)
    return f"{begins} In this photo these {len(shown)} matter most: {part} of the score for {name}."


def share_words(found: ConceptShares, concept: int, taxonomy: Taxonomy) -> str:
    """How much a concept counts, in a few words.

    Args:
        found: the split.
        concept: the number, from 0.
        taxonomy: the classes' names.
    """
    share = float(found.shares[concept])
    if isinstance(found.target, ContrastTarget):
        side = found.target.label if share >= 0 else found.target.rival
        return f"{abs(share):.1f} logits for {escape(taxonomy[side].name)}"
    if found.value <= 0:
        return f"{share:+.1f} logits".replace("-", "−")
    against = "" if share >= 0 else " against it"
    return f"{percent(abs(share) / found.value)} of the score{against}"


def sum_table(found: ConceptShares, shown: list[int]) -> pd.DataFrame:
    """The terms of the sum, in logits: each shown concept, all others, the residual, the bias, and the logit.

    Args:
        found: the split.
        shown: the concepts on the page.
    """
    rows = [(f"pattern {concept + 1}", float(found.shares[concept])) for concept in shown]
    others = float(found.shares.sum()) - sum(share for _, share in rows)
    rows += [
        ("all other patterns", others),
        ("what no pattern explains", found.residual),
        ("constant of the name", found.bias),
        ("together", found.value),
    ]
    return pd.DataFrame(rows, columns=["what", "logits"])


def painted_concept(asked: Asked, found: ConceptShares, concept: int) -> NDArray[np.uint8]:
    """The photo at hand, small, with the places where a concept is, (h, w, 3) uint8 RGB.

    Args:
        asked: the photo and its answer.
        found: the split over the concepts.
        concept: the number, from 0.
    """
    inference = asked.identified.inference
    image = Image.fromarray(session.shown_pixels(inference.photo))
    image.thumbnail((SIDE, SIDE))
    where = found.presence[..., concept].astype(np.float32)
    size = (inference.photo.width, inference.photo.height)
    placed = Explanation("concept", found.target, where, float(where.sum()), "relative", inference.seen.box, size, 0.0)
    return painted(np.asarray(image), placed)
