"""The pictures that a model made of what it looks for, always told apart from photos."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

import streamlit as st

from app.elements.words import capital
from app.resources.model_pictures import class_picture
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.bundle import Bundle

HOW = (
    "No photos: the model made these pictures itself, out of noise that was changed until it found in it what it looks "
    "for. They show what counts to the model, not how the flower looks; what hardly counted is transparent."
)


def picture_html(file: bytes, alt: str) -> str:
    """A picture as HTML, as wide as its place.

    Args:
        file: WebP.
        alt: what it is, in plain words.
    """
    source = f"data:image/webp;base64,{b64encode(file).decode()}"
    return f'<img class="own-picture" src="{source}" alt="{escape(alt, quote=True)}">'


def class_alt(name: str) -> str:
    """What a class picture is, in plain words."""
    return f"The model’s own picture of {name}, not a photo"


def draw_class_pictures(bundle: Bundle, labels: Sequence[int], taxonomy: Taxonomy, *, how: bool = True) -> None:
    """What the model looks for in flowers, side by side; nothing where the bundle comes without pictures.

    Args:
        bundle: the model.
        labels: the flowers, from 1.
        taxonomy: the classes' names.
        how: whether to say how they came about; False where concepts with pictures follow, which say so.
    """
    figures = [
        f"<figure>{picture_html(file, class_alt(taxonomy[label].name))}"
        f"<figcaption>{escape(capital(taxonomy[label].name))}</figcaption></figure>"
        for label in labels
        if (file := class_picture(bundle, label)) is not None
    ]
    if figures:
        note = f'<p class="quiet-note">{HOW}</p>' if how else ""
        st.html(f'<div class="own-pictures">{"".join(figures)}</div>{note}')


def offer_class_pictures(bundle: Bundle, labels: Sequence[int], taxonomy: Taxonomy) -> None:
    """The same behind a title; nothing where the bundle comes without a picture of the first.

    Args:
        bundle: the model.
        labels: the flowers, from 1, at least one.
        taxonomy: the classes' names.
    """
    if class_picture(bundle, labels[0]) is not None:
        with st.expander(f"What the model looks for in {taxonomy[labels[0]].name}", icon=":material/palette:"):
            draw_class_pictures(bundle, labels, taxonomy)
