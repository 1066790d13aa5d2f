"""The download of the data set: one for the whole server, which every visitor sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from flowers_core.data.download.background import BackgroundDownload


def dataset_download(root: Path) -> BackgroundDownload:
    """The download into a folder; nothing is fetched before it is started.

    Args:
        root: the folder of the data set.
    """
    return _dataset_download(str(root))


@st.cache_resource(show_spinner=False)
def _dataset_download(root: str) -> BackgroundDownload:
    from flowers_core.data.download import oxford
    from flowers_core.data.download.background import BackgroundDownload

    return BackgroundDownload(lambda report: oxford.download_dataset(Path(root), progress=report))
