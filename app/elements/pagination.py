"""Long lists a page at a time; each list has a page number of its own, kept in the address."""

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

Item = TypeVar("Item")


def page_key(name: str) -> str:
    """The key of a list's page number, in the session's state and in the address."""
    return f"{name}-page"


def choose_page(name: str, items: Sequence[Item], size: int) -> Sequence[Item]:
    """The items of one page, and below what was drawn so far the control that chooses it.

    Draw the items into a container made before.

    Args:
        name: of the list, one on its page.
        items: all of it.
        size: items a page.
    """
    pages = -(-len(items) // size)
    if pages < 2:
        return items
    key = page_key(name)
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = pages
    page = st.pagination(pages, key=key, bind="query-params")
    return items[(page - 1) * size : page * size]


def first_page(name: str) -> None:
    """Go back to the first page, for another list under the same name. Only in callbacks."""
    st.session_state[page_key(name)] = 1
