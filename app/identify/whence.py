"""*Whence*: the training photos that decided, for the name and against it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.elements.dataset_offer import offer_download
from app.elements.photo_grid import Card, draw_cards
from app.elements.words import capital
from app.identify.explaining import ClassOrContrast
from app.identify.target_choice import Asked
from app.resources import galleries
from app.resources.data import photos_here
from app.resources.model_pictures import class_picture
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.explain.explanation import ContrastTarget
from flowers_core.explain.representers import Representers, strongest
from flowers_core.inference.bundle import Bundle

# Photos shown for the name and against it; and as many of the nearest are what the photo resembles.
EACH, NEAREST = 6, 12


def draw_whence(asked: Asked) -> None:
    """What the training photos add up to, and those that speak most for the name and most against it."""
    identified = asked.identified
    found = galleries.representers(identified.inference.bundle)
    if found is None or identified.gallery is None:
        st.info("This model comes without a gallery, so the photos that it learnt from are not known here.")
        return
    bundle, target = identified.inference.bundle, asked.target
    taxonomy, photo_set = bundle.taxonomy, bundle.photo_set
    contributions = found.contributions(identified.inference.forward.logits[0], target)
    embedding, splits = identified.inference.forward.embedding[0], set(identified.inference.bundle.fitted_splits)
    nearest = identified.gallery.search(embedding, NEAREST, splits=splits)
    alike = {neighbour.photo_id: rank for rank, neighbour in enumerate(nearest, start=1)}
    speaks_for, against = strongest(contributions, EACH)
    st.markdown(sum_sentence(contributions, target, taxonomy))
    st.markdown(f"**{capital(_for(target, taxonomy))}**")
    draw_cards("for", _cards(found, contributions, speaks_for, alike, bundle, target.label))
    if len(against):
        st.markdown(f"**{capital(_against(target, taxonomy))}**")
        draw_cards("against", _cards(found, contributions, against, alike, bundle, target.label))
    st.markdown(likeness_sentence(found.ids[speaks_for], alike))
    itself = {photo.id for photo in identified.itself if photo.photo_set == photo_set} & set(found.ids.tolist())
    if itself:
        st.caption("The model learnt from this very photo, so it speaks for itself here.")
    if not photos_here(photo_set):
        offer_download("whence", "The training photos are not on this machine.", photo_set)
    with st.expander("How this is found"):
        st.markdown(
            "The model's last layer is fitted once more to the photos that it learnt from, with the same answers. "
            "Its score for a flower is then a sum with one term for each of them: what the model says of that photo, "
            "times how much it counts for yours (representer points, Yeh et al. 2018, arXiv 1811.09720). "
            "A share is a part of all that speaks on the same side. The network below the last layer learnt from the "
            "photos too; what that gave is in none of the terms."
        )


def sum_sentence(contributions: NDArray[np.float64], target: ClassOrContrast, taxonomy: Taxonomy) -> str:
    """What the training photos add up to.

    Args:
        contributions: (n,), what each adds to the logit, or to the gap.
        target: what is explained.
        taxonomy: the classes' names.
    """
    up, down = contributions[contributions > 0].sum(), -contributions[contributions < 0].sum()
    return (
        f"The model learnt from {len(contributions):,} photos. Those {_for(target, taxonomy)} come to {up:.1f} points, "
        f"those {_against(target, taxonomy)} to {down:.1f}: **{up - down:+.1f}** in all."
    )


def likeness_sentence(shown: NDArray[np.int64], alike: Mapping[int, int]) -> str:
    """How far the photos that decided are also those that the photo resembles.

    Args:
        shown: ids of the photos that speak most for the name.
        alike: id → rank of the training photos that it resembles most.
    """
    both = sum(int(photo_id) in alike for photo_id in shown)
    count = "All" if both == len(shown) else both or "None"
    return (
        f"{count} of these {len(shown)} {'is' if both == 1 else 'are'} among the {len(alike)} training photos "
        "that yours resembles most. The two are not the same: a photo can look alike to the model and still say "
        "nothing about the name."
    )


def _for(target: ClassOrContrast, taxonomy: Taxonomy) -> str:
    return f"for {taxonomy[target.label].name}"


def _against(target: ClassOrContrast, taxonomy: Taxonomy) -> str:
    return f"for {taxonomy[target.rival].name}" if isinstance(target, ContrastTarget) else "against it"


def _cards(
    found: Representers,
    contributions: NDArray[np.float64],
    shown: NDArray[np.intp],
    alike: Mapping[int, int],
    bundle: Bundle,
    label: int,
) -> list[Card]:
    side = contributions[contributions > 0 if contributions[shown[:1]].sum() > 0 else contributions < 0].sum()
    return [
        _card(int(found.ids[at]), int(found.labels[at]), contributions[at] / side, alike, bundle, label) for at in shown
    ]


def _card(photo_id: int, shows: int, share: float, alike: Mapping[int, int], bundle: Bundle, label: int) -> Card:
    name, rank = capital(bundle.taxonomy[shows].name), alike.get(photo_id)
    like = f"no. {rank} in likeness" if rank else "not among the most alike"
    return Card(
        photo=bundle.photo_set.ref(photo_id),
        caption=(
            f'<span class="name{" same" if shows == label else ""}">{escape(name)}</span><br>'
            f'{100 * share:.1f} % of it<br><span class="quiet">{like}<br>training photo {photo_id}</span>'
        ),
        alt=f"{name}, training photo {photo_id}",
        stand_in=class_picture(bundle, shows),
    )
