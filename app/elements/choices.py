"""Choices that several pages offer alike, kept in the page's address."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from flowers_core.data.taxonomy import Taxonomy

Option = TypeVar("Option")


def choose_one(
    label: str,
    titles: Mapping[Option, str],
    key: str,
    *,
    default: Option | None = None,
    on_change: Callable[[], None] | None = None,
) -> Option:
    """One of a few options, all in sight.

    Args:
        label: what is chosen.
        titles: option → what the page calls it.
        key: of the choice, in the session's state and in the address.
        default: what is chosen at first; the first option unless given.
        on_change: called when another option is chosen.
    """
    options = list(titles)
    first = options[0] if default is None else default
    chosen = st.segmented_control(
        label,
        options,
        default=first,
        required=True,
        format_func=lambda option: titles[option],
        key=key,
        bind="query-params",
        on_change=on_change,
    )
    return first if chosen is None else chosen


def choose_flower(
    label: str, labels: Sequence[int], taxonomy: Taxonomy, key: str, *, anything: str | None = None, **settings: Any
) -> int | None:
    """One of many flowers, searched by name.

    Args:
        label: what is chosen.
        labels: the flowers, in the order they are offered.
        taxonomy: their names.
        key: of the choice, in the session's state and in the address.
        anything: what stands there while none is chosen; None for a choice that begins with the first flower.
        **settings: further arguments of `st.selectbox`.

    Returns:
        The label of the flower, or None where none is chosen.
    """
    none_at_first: dict[str, Any] = {} if anything is None else {"index": None, "placeholder": anything}
    return st.selectbox(
        label,
        labels,
        format_func=lambda choice: taxonomy[choice].name,
        key=key,
        bind="query-params",
        filter_mode="contains",
        **none_at_first,
        **settings,
    )


def by_name(taxonomy: Taxonomy) -> list[int]:
    """The labels of all flowers by their English names."""
    return [taxon.label for taxon in sorted(taxonomy, key=lambda taxon: taxon.name)]
