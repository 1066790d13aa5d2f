"""What cannot be drawn says why, in its place; the rest of the page stands."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from flowers_core.errors import FlowersError


@contextmanager
def told() -> Iterator[None]:
    """Show an expected error, such as a damaged file of a model, as a sentence in the place of what is left undrawn.

    It serves as a decorator, too. A fragment takes it below `st.fragment`: when it runs again, it runs alone.
    """
    try:
        yield
    except FlowersError as error:
        st.error(str(error), icon=":material/error:")
