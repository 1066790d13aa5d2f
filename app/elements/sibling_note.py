"""Whose figures are shown of a model that has learnt from the test photos too."""

import streamlit as st

from app.resources import models
from flowers_core.inference.bundle import Bundle


def draw_tested(bundle: Bundle) -> Bundle:
    """The model whose figures on test photos stand for a model, with a sentence where that is another one.

    Args:
        bundle: the model that was chosen.
    """
    tested = models.tested(bundle)
    if tested is not bundle:
        st.caption(
            f"**{bundle.name}** has learnt from the test photos too, which therefore cannot test it. "
            f"**{tested.name}**, the same network trained without them, stands for it here."
        )
    return tested
