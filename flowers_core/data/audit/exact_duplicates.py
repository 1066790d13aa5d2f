"""Photos of a data set whose files are the same, byte for byte."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.dataset import Dataset
from flowers_core.storage.files import sha256_of


def find_exact_duplicates(dataset: Dataset) -> list[tuple[int, ...]]:
    """Find files with the same bytes. Only files of equal size are read.

    Returns:
        Groups of two or more photo ids, each ascending, in order of their first id.
    """
    by_size: dict[int, list[int]] = defaultdict(list)
    for photo_id in dataset.ids.tolist():
        by_size[dataset.path(photo_id).stat().st_size].append(photo_id)
    by_digest: dict[str, list[int]] = defaultdict(list)
    for same_size in by_size.values():
        if len(same_size) > 1:
            for photo_id in same_size:
                by_digest[sha256_of(dataset.path(photo_id))].append(photo_id)
    return sorted(tuple(group) for group in by_digest.values() if len(group) > 1)


def exact_leaks(dataset: Dataset, split: str) -> NDArray[np.int64]:
    """Find the photos of a split whose file is also in another split.

    Args:
        dataset: the photos and their splits.
        split: the split whose photos are returned.

    Returns:
        (n,) int64 photo ids of `split`, ascending.
    """
    found = []
    for group in find_exact_duplicates(dataset):
        if len({dataset.split_of(photo_id) for photo_id in group}) > 1:
            found += [photo_id for photo_id in group if dataset.split_of(photo_id) == split]
    return np.array(sorted(found), dtype=np.int64)
