"""Whichever data set lies at a path: the Oxford flowers, folders of photos, or a table."""

from __future__ import annotations

from pathlib import Path

from flowers_core.data.dataset import Dataset
from flowers_core.data.folder_dataset import FolderDataset
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photo_files import is_hidden

_OXFORD = ("jpg", "imagelabels.mat", "setid.mat")


def open_dataset(source: Path) -> Dataset:
    """Open a data set for reading.

    Args:
        source: a folder in Oxford's layout, or what `FolderDataset` takes.

    Raises:
        DatasetMissing, DatasetError: it is not whole. Of an empty or absent folder the message says how to get
            Oxford's.
    """
    if source.is_file():
        return FolderDataset(source)
    inside = list(source.iterdir()) if source.is_dir() else []
    # Also where a download was broken off.
    oxfords = any(path.name.removesuffix(".partial") in _OXFORD for path in inside)
    if oxfords or not any(path.is_dir() and not is_hidden(path.name) for path in inside):
        return OxfordFlowers(source)
    return FolderDataset(source)
