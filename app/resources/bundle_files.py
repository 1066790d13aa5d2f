"""The files of a bundle, each read once for its content and shared by all sessions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from flowers_core.errors import FlowersError
from flowers_core.inference.bundle import HEAD_FILE, Bundle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

# The smallest and quickest; its accuracy is on the Models page beside the others'.
PREFERRED_FORMAT = "int8"


def bundle_file(bundle: Bundle, file_name: str, load: Callable[[Path], T], *, what: str = "") -> T:
    """What `load` makes of one of a bundle's files.

    It is read once for each content of the file: a model that is made anew is not answered from the old one's cache.

    Args:
        bundle: the bundle.
        file_name: the file's name in it.
        load: reads the file; it may raise a FlowersError.
        what: tells apart what is made of one file.

    Raises:
        FlowersError: when the bundle comes without the file, or it cannot be read.
    """
    return _loaded(digest(bundle, file_name), what or file_name, bundle, file_name, load)


def optional_file(bundle: Bundle, file_name: str, load: Callable[[Path], T], missing: T | None = None) -> T | None:
    """A file of a bundle that adds to a page, which stands without it.

    Args:
        bundle: the model.
        file_name: within the bundle.
        load: reads the file.
        missing: what stands for a file that the bundle comes without or that cannot be read.

    Returns:
        As `bundle_file`; or `missing`.
    """
    if not bundle.has(file_name):
        return missing
    try:
        return bundle_file(bundle, file_name, load)
    except FlowersError:
        return missing


@st.cache_resource(show_spinner=False, max_entries=64)
def _loaded(digest: str, what: str, _bundle: Bundle, _file_name: str, _load: Callable[[Path], Any]) -> Any:  # noqa: ARG001
    return _load(_bundle.path(_file_name))


def digest(bundle: Bundle, file_name: str) -> str:
    """Name the content of a bundle's file.

    Args:
        bundle: the model.
        file_name: within the bundle.

    Returns:
        Its SHA-256, or the file's name where the bundle comes without it.
    """
    return bundle.digest(file_name) or file_name


def linear_layer(bundle: Bundle) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (channels, classes) and bias (classes,) of the linear layer."""
    return bundle_file(bundle, HEAD_FILE, lambda _: bundle.head())


def head(bundle: Bundle) -> NDArray[np.float32]:
    """Weights of the linear layer, (channels, classes)."""
    return linear_layer(bundle)[0]


def bias(bundle: Bundle) -> NDArray[np.float32]:
    """Bias of the linear layer, (classes,)."""
    return bundle_file(bundle, HEAD_FILE, lambda _: bundle.head()[1], what="bias")
