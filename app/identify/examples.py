"""Example photos, so that there is something to see at once; each with its author and licence."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from app.elements.photo_grid import CARD_SIDE
from flowers_core.data.thumbnails import Thumbnails

FOLDER = Path(__file__).resolve().parents[1] / "example"
PREFIX = "example"
#: The photo of the address `?photo=example`, which names none.
FIRST = "dahlia"


@dataclass(frozen=True)
class Example:
    """One example photo.

    Attributes:
        name: of the file, without its ending, and in the photo's address.
        title: what the photo is an example of, in a person's words.
        shows: the alternative text.
        author: whom the photo is by.
        licence: its open licence, by its short name; `licence_url` has the text.
        licence_url: where the licence is.
        source: where the photo was taken from; `source_url` is where that is described.
        source_url: where the source is.
        changed: whether it was made smaller for this project.
    """

    name: str
    title: str
    shows: str
    author: str
    licence: str
    licence_url: str
    source: str
    source_url: str
    changed: bool

    @property
    def path(self) -> Path:
        """Where the photo lies."""
        return FOLDER / f"{self.name}.jpg"

    @property
    def address(self) -> str:
        """The photo's name in an address."""
        return PREFIX if self.name == FIRST else f"{PREFIX}:{self.name}"

    @property
    def credit(self) -> str:
        """Author, licence and source, in Markdown."""
        origin = f"[{self.licence}]({self.licence_url}), [{self.source}]({self.source_url})"
        return f"{self.title}: by {self.author}, {origin}{', made smaller' if self.changed else ''}."


@cache
def examples() -> tuple[Example, ...]:
    """The examples in the order in which the page shows them."""
    return tuple(Example(**entry) for entry in json.loads((FOLDER / "examples.json").read_text(encoding="utf-8")))


def example_at(address: str) -> Example | None:
    """The example that an address names, or None where it names none."""
    return next((example for example in examples() if example.address == address), None)


def draw_examples(take: Callable[[str], None]) -> None:
    """The examples as small photos, each with a button.

    Args:
        take: what a click calls, with the example's address.
    """
    st.subheader("Or try one of these", anchor=False)
    grid = st.grid(columns=8, key="photos-examples", min_column_width=100, gap=("medium", "small"))
    for example in examples():
        with grid.cell():
            st.image(Thumbnails().get(example.path, CARD_SIDE), width="stretch", alt=example.shows)
            st.button(
                example.title,
                key=f"example-{example.name}",
                on_click=take,
                args=(example.address,),
                type="tertiary",
            )
    with st.expander("Who took them"):
        st.markdown("\n".join(f"- {example.credit}" for example in examples()))
