"""Splits for photos that have none: stratified by class, with copies of one picture on one side."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.dataset import SPLITS

#: Of a class's photos, for validation and again for test; the rest is for training.
HELD_OUT = 0.2


def draw_splits(classes: Sequence[Hashable], pictures: Sequence[Hashable], seed: int) -> NDArray[np.str_]:
    """Draw a split for each photo.

    Of each class a fifth is for validation and a fifth for test, one photo at least. Pictures of the fewest copies are
    held out, those of the same number by lot, so that figures rest on many pictures. A class of fewer than three
    pictures is for training alone, and so is a picture whose copies lie in several classes.

    Args:
        classes: (n,) the class of each photo.
        pictures: (n,) what each shows; photos that are copies of one another have the same.
        seed: the same photos and seed give the same splits.

    Returns:
        (n,) str, one of `SPLITS` each.
    """
    generator = np.random.default_rng(seed)
    splits = np.full(len(classes), "train", dtype=f"<U{max(map(len, SPLITS))}")
    photos: dict[Hashable, list[int]] = {}
    of_class: dict[Hashable, dict[Hashable, list[int]]] = {}
    for photo, (name, picture) in enumerate(zip(classes, pictures, strict=True)):
        photos.setdefault(picture, []).append(photo)
        of_class.setdefault(name, {}).setdefault(picture, []).append(photo)
    for copies in of_class.values():
        room = max(1, round(HELD_OUT * sum(map(len, copies.values()))))
        alone = [found for picture, found in copies.items() if len(photos[picture]) == len(found)]
        drawn = [alone[place] for place in generator.permutation(len(alone))]
        drawn.sort(key=len)
        left = {"test": room, "validation": room}
        # The last, which has the most copies, is for training, unless others of the class are already.
        last = len(drawn) - (len(alone) == len(copies))
        if len(copies) < 3:
            continue
        for found in drawn[:last]:
            # The first of each split goes in however large it is, for a class must be in each.
            split = next((name for name, free in left.items() if free == room or len(found) <= free), None)
            if split is None:
                break
            splits[found] = split
            left[split] = max(0, left[split] - len(found))
    return splits
