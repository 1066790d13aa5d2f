"""What is in the data that a figure must be read with: photos that are there more than once."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.storage.files import sha256_of


def exact_duplicates(flowers: OxfordFlowers) -> list[tuple[int, ...]]:
    """Groups of two or more photo ids whose files are the same byte for byte, each ascending, in order of first id."""
    by_size: dict[int, list[int]] = defaultdict(list)
    for photo_id in flowers.ids.tolist():
        by_size[flowers.path(photo_id).stat().st_size].append(photo_id)
    by_digest: dict[str, list[int]] = defaultdict(list)
    for same_size in by_size.values():
        if len(same_size) > 1:
            for photo_id in same_size:
                by_digest[sha256_of(flowers.path(photo_id))].append(photo_id)
    return sorted(tuple(group) for group in by_digest.values() if len(group) > 1)


def seen_elsewhere(flowers: OxfordFlowers, split: str) -> NDArray[np.int64]:
    """The ids of a split whose photo is also in another split, byte for byte: (n,) int64, ascending."""
    found = []
    for group in exact_duplicates(flowers):
        if len({flowers.split_of(photo_id) for photo_id in group}) > 1:
            found += [photo_id for photo_id in group if flowers.split_of(photo_id) == split]
    return np.array(sorted(found), dtype=np.int64)
