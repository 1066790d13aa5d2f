"""The photos of a class: as cards, or, where none is on this machine, as the model's own picture and their numbers."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from app.dataset.class_counts import TITLES
from app.elements.choices import by_name, choose_flower, choose_one
from app.elements.model_picture import draw_class_pictures
from app.elements.pagination import choose_page, first_page
from app.elements.photo_grid import Card, draw_cards
from app.elements.words import capital, latin
from app.resources.data import LabelledPhotos, photo_file
from app.resources.model_pictures import class_picture
from app.resources.models import model_list
from flowers_core.data.taxonomy import Taxon, Taxonomy

PER_PAGE = 24
# The class whose photos are shown, and the list of them.
CLASS, PHOTOS = "class", "class-photos"


def draw_class_photos(photos: LabelledPhotos) -> None:
    """The choice of a class and a split, and the photos that have both.

    Args:
        photos: of the data set.
    """
    taxonomy = photos.taxonomy
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        names = by_name(taxonomy)
        label = choose_flower("Class", names, taxonomy, CLASS, width=320, on_change=first_page, args=(PHOTOS,))
        among = choose_one("Split", {"all": "all", **TITLES}, "split", on_change=lambda: first_page(PHOTOS))
    taxon = taxonomy[label or names[0]]
    places = [latin(taxon), f"family {escape(taxon.known_family)}" if taxon.known_family else ""]
    st.html(f'<p class="lede">{" · ".join(filter(None, [f"<b>{escape(capital(taxon.name))}</b>", *places]))}</p>')
    wanted = (photos.labels == taxon.label) & ((photos.splits == among) | (among == "all"))
    ids, splits = photos.ids[wanted], photos.splits[wanted]
    cards = [_card(photos, taxon, int(photo_id), str(split)) for photo_id, split in zip(ids, splits, strict=True)]
    if not any(photo_file(card.photo) for card in cards):
        _draw_picture(photos, taxon, taxonomy)
        st.html(_numbers_html({title: ids[splits == split].tolist() for split, title in TITLES.items()}))
        return
    place = st.container()
    shown = choose_page(PHOTOS, cards, PER_PAGE)
    with place:
        draw_cards("class", shown)


def _card(photos: LabelledPhotos, taxon: Taxon, photo_id: int, split: str) -> Card:
    return Card(
        photo=photos.photo_set.ref(photo_id),
        caption=f'<span class="quiet">{TITLES[split]} · no. {photo_id}</span>',
        alt=f"{capital(taxon.name)}, {TITLES[split]} photo {photo_id}",
    )


def _draw_picture(photos: LabelledPhotos, taxon: Taxon, taxonomy: Taxonomy) -> None:
    """What a model looks for in the class: the first one that comes with a picture."""
    for bundle in model_list().bundles:
        if bundle.photo_set == photos.photo_set and class_picture(bundle, taxon.label) is not None:
            draw_class_pictures(bundle, [taxon.label], taxonomy)
            return


def _numbers_html(numbers: Mapping[str, Sequence[int]]) -> str:
    """The photos' numbers in the data set, by split."""
    rows = [f"<dt>{title}</dt><dd>{', '.join(map(str, found))}</dd>" for title, found in numbers.items() if found]
    return (
        "<p>None of these photos is on this machine. Their numbers in the data set:</p>"
        f'<dl class="photo-numbers">{"".join(rows)}</dl>'
        if rows
        else "<p>There is no such photo.</p>"
    )
