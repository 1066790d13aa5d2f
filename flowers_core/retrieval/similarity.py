"""What a similarity means: how it compares with that of two photos of one class.

A cosine of 0.8 is ordinary between two sunflowers and remarkable between two roses, so it is read against the cosines
of all true pairs of the class: "closer than 95 % of the true pairs of this class".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.errors import FlowersError
from flowers_core.storage.npz import NpzError, read_npz

LIKENESS_FILE = "likeness.npz"
# Below this there are too few pairs to speak of per cents.
MIN_PAIRS = 20
_GRID = np.linspace(0, 1, 101)


class LikenessError(FlowersError):
    """A file of likenesses that cannot be used; the message is a sentence for the person who meets it."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """The distribution of cosines between two different photos of one class.

    labels: (m,) int64, ascending, the classes with at least MIN_PAIRS pairs. pairs: (m,) int64, how many each has.
    quantiles: (m, 101) float32, the 0 % … 100 % quantiles of the cosines of each class' pairs.
    """

    labels: NDArray[np.int64]
    pairs: NDArray[np.int64]
    quantiles: NDArray[np.float32]

    def share_below(self, label: int, similarity: float) -> float | None:
        """The share of the class' true pairs that are less alike than this, in [0, 1]; None for a class not kept.

        0 below the least and 1 above the greatest of all pairs; between two kept quantiles a straight line.
        """
        row = int(np.searchsorted(self.labels, label))
        if row == len(self.labels) or self.labels[row] != label:
            return None
        # Quantiles that are equal leave a step; the upper end of it is the share of pairs at or below.
        values, last = np.unique(self.quantiles[row][::-1], return_index=True)
        return float(np.interp(similarity, values, _GRID[::-1][last], left=0.0, right=1.0))

    def write(self, path: Path) -> None:
        """Write the file that `load_likeness` reads; about 20 kB."""
        np.savez_compressed(path, labels=self.labels, pairs=self.pairs, quantiles=self.quantiles)


def fit_likeness(vectors: ArrayLike, labels: ArrayLike, *, digests: Collection[bytes] | None = None) -> Likeness:
    """Measure the cosines of all pairs of one class.

    vectors: (n, c), norm 1; labels: (n,); digests: n of them, of the files' bytes: files that are equal count once,
    since a photo's likeness to itself says nothing. The photos should be ones that the model was not fitted on: fitting
    draws those of a class together.
    """
    unit, all_labels = np.asarray(vectors, dtype=np.float32), np.asarray(labels, dtype=np.int64)
    if unit.ndim != 2 or all_labels.shape != unit.shape[:1] or (digests is not None and len(digests) != len(unit)):
        raise ValueError(
            f"Vectors of shape {unit.shape} and labels of shape {all_labels.shape} do not belong together."
        )
    if digests is not None:
        _, first = np.unique(np.array(list(digests)), return_index=True)
        unit, all_labels = unit[np.sort(first)], all_labels[np.sort(first)]
    kept, pairs, quantiles = [], [], []
    for label in np.unique(all_labels):
        members = unit[all_labels == label]
        cosines = (members @ members.T)[np.triu_indices(len(members), 1)]
        if len(cosines) >= MIN_PAIRS:
            kept.append(int(label))
            pairs.append(len(cosines))
            quantiles.append(np.quantile(np.clip(cosines, -1, 1), _GRID))
    return Likeness(
        np.array(kept, np.int64), np.array(pairs, np.int64), np.array(quantiles, np.float32).reshape(-1, len(_GRID))
    )


def load_likeness(path: Path) -> Likeness:
    """Read what `Likeness.write` wrote. Raises LikenessError when it is missing or damaged."""
    try:
        arrays = read_npz(path)
        found = Likeness(
            arrays["labels"].astype(np.int64), arrays["pairs"].astype(np.int64), arrays["quantiles"].astype(np.float32)
        )
    except (NpzError, KeyError, ValueError, TypeError) as error:
        raise LikenessError(f"{path} cannot be read. scripts/build_gallery.py makes it anew.") from error
    rows = len(found.labels)
    if found.pairs.shape != (rows,) or found.quantiles.shape != (rows, len(_GRID)) or found.labels.ndim != 1:
        raise LikenessError(f"{path} is damaged. scripts/build_gallery.py makes it anew.")
    return found
