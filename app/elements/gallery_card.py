"""A photo of a large gallery as a card: what the model called it, how sure it was, and its file."""

from collections.abc import Mapping
from html import escape
from pathlib import PurePosixPath
from typing import Any

from app.elements.photo_grid import Card
from app.elements.words import capital, percent
from app.resources.large_gallery import gallery_ref


def gallery_card(entry: Mapping[str, Any], similarity: float | None = None, *, same: bool = False) -> Card:
    """The card of an entry.

    Args:
        entry: of the gallery's store.
        similarity: to the photo at hand, a cosine; None where there is none.
        same: whether it was given the name of the photo at hand.
    """
    name, file_name = capital(entry["name"]), PurePosixPath(entry["path"]).name
    sure = f"{percent(entry['confidence'])} sure" + ("" if similarity is None else f", similarity {similarity:.2f}")
    return Card(
        photo=gallery_ref(entry["key"]),
        caption=(
            f'<span class="name{" same" if same else ""}">{escape(name)}</span><br>'
            f'<span class="quiet">{sure}<br>{escape(file_name)}</span>'
        ),
        alt=f"{name}, your photo {file_name}",
    )
