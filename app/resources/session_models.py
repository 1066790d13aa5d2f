"""The models that a visitor taught: bundles in a folder that goes with the session, seen by that visitor alone.

Of the photos of a lesson, the folder holds embeddings and digests.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from flowers_core.inference.bundle import Bundle


@dataclass(eq=False)
class _Taught:
    """The folder, once there is one, and its bundles: name → the bundle, and the name of what it was taught from.

    The folder is removed with this object.
    """

    folder: tempfile.TemporaryDirectory[str] | None = None
    bundles: dict[str, tuple[Bundle, str]] = field(default_factory=dict)


_KEY = "taught-models"


def _taught() -> _Taught:
    if _KEY not in st.session_state:
        st.session_state[_KEY] = _Taught()
    return st.session_state[_KEY]


def bundles() -> tuple[Bundle, ...]:
    """This visitor's bundles, in the order in which they came to be."""
    known: _Taught | None = st.session_state.get(_KEY)
    return tuple(bundle for bundle, _ in known.bundles.values()) if known else ()


def is_mine(bundle: Bundle) -> bool:
    """Whether a bundle is this visitor's."""
    return any(bundle.name == mine.name for mine in bundles())


def folder_for(name: str) -> Path:
    """Where a bundle of this visitor's goes. Raises OSError where the machine has no room for such folders."""
    taught = _taught()
    if taught.folder is None:
        taught.folder = tempfile.TemporaryDirectory("-lessons")
    return Path(taught.folder.name) / name


def add(bundle: Bundle, origin: str) -> None:
    """Let a bundle in its folder be one of this visitor's.

    Args:
        bundle: lies in `folder_for` of its name.
        origin: name of the bundle that it was taught from.
    """
    _taught().bundles[bundle.name] = (bundle, origin)


def origin_of(bundle: Bundle) -> str:
    """The name of what one of this visitor's bundles was taught from. Raises KeyError for another bundle."""
    return _taught().bundles[bundle.name][1]


def remove(bundle: Bundle) -> None:
    """Forget one of this visitor's bundles."""
    _taught().bundles.pop(bundle.name, None)
