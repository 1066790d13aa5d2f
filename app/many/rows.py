"""The named photos of this session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.resources.own_photos import OwnPhoto
from flowers_core.data.taxonomy import Taxon, Taxonomy
from flowers_core.inference.prediction import Prediction

_ROWS, UPLOADS = "many-rows", "many-uploads"


@dataclass(frozen=True, eq=False)
class Row:
    """A photo that was given.

    Attributes:
        name: of its file, with its folder where there is one.
        own: the photo, as a small copy; None where it could not be read.
        prediction: the answer; None where it could not be read.
        problem: why it could not be read; "" where it could.
        model: the bundle that answered.
        taxonomy: the classes that it knows.
        upload: the file's id in the uploader, by which it is known to be named.
    """

    name: str
    own: OwnPhoto | None
    prediction: Prediction | None
    problem: str
    model: str
    taxonomy: Taxonomy
    upload: str = ""

    @property
    def taxon(self) -> Taxon | None:
        """The most probable flower; None where the photo could not be read."""
        return None if self.prediction is None else self.taxonomy[self.prediction.candidates[0].label]


def rows() -> Sequence[Row]:
    """All of them, in the order in which they were given."""
    return tuple(st.session_state.get(_ROWS, ()))


def add_row(row: Row) -> None:
    """Put a photo behind the others."""
    st.session_state.setdefault(_ROWS, []).append(row)


def forget_rows() -> None:
    """Keep none any longer, and begin with an empty uploader. Only in callbacks."""
    st.session_state.pop(_ROWS, None)
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1
