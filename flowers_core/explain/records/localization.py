"""How much of a model's evidence lies on the flower, photo by photo, as a bundle keeps it; and means over some."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.errors import FlowersError
from flowers_core.explain.metrics.localization import Share
from flowers_core.storage.npz import NpzError, read_npz

SHARES_FILE = "flower_shares.npz"


class ShareRecordError(FlowersError):
    """A record of shares that cannot be used; the message is a sentence for the person who meets it."""


@dataclass(frozen=True)
class MeanShare(Share):
    """Means over so many photos. `ratio` is that of the means: a mean of ratios would be that of the photos on which
    the flower is smallest."""

    photos: int


@dataclass(frozen=True, eq=False)
class ShareRecord:
    """The share of each test photo: the closed form's map of the class that INT8 answers.

    ids, labels, called: (n,) int64, the photo, its class and the model's answer, 1-based. heat, area: (n,) float32,
    see `Share`. left_out: photos without a share, since their segmentation is empty or nothing speaks for the answer.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    called: NDArray[np.int64]
    heat: NDArray[np.float32]
    area: NDArray[np.float32]
    left_out: int

    def __len__(self) -> int:
        return len(self.ids)

    def mean(self, where: ArrayLike | None = None) -> MeanShare | None:
        """Over all photos, or those where a boolean array (n,) is true; None over none."""
        chosen = np.ones(len(self), bool) if where is None else np.asarray(where, bool)
        if not chosen.any():
            return None
        heat, area = (float(values[chosen].mean(dtype=np.float64)) for values in (self.heat, self.area))
        return MeanShare(heat, area, int(chosen.sum()))

    def of_class(self, label: int) -> MeanShare | None:
        """Over the test photos of a class, whatever the model called them."""
        return self.mean(self.labels == label)

    def of_pair(self, label: int, called: int) -> MeanShare | None:
        """Over the test photos of a class that were called by another's name."""
        return self.mean((self.labels == label) & (self.called == called))

    def write(self, path: Path) -> None:
        """Write the file that `load_shares` reads; shares are kept to a thousandth or better, some 8 bytes a photo."""
        small = {name: vars(self)[name].astype(np.uint16) for name in ("ids", "labels", "called")}
        shares = {name: vars(self)[name].astype(np.float16) for name in ("heat", "area")}
        np.savez_compressed(path, **small, **shares, left_out=self.left_out)


def load_shares(path: Path) -> ShareRecord:
    """Read what `ShareRecord.write` wrote. Raises ShareRecordError when it is missing or damaged."""
    try:
        arrays = read_npz(path)
        ids, labels, called = (arrays[name].astype(np.int64) for name in ("ids", "labels", "called"))
        heat, area = (arrays[name].astype(np.float32) for name in ("heat", "area"))
        found = ShareRecord(ids, labels, called, heat, area, int(arrays["left_out"]))
    except (NpzError, KeyError, ValueError, TypeError) as error:
        raise ShareRecordError(f"{path} cannot be read. scripts/evaluate_localization.py makes it anew.") from error
    within = all(((values >= 0) & (values <= 1)).all() for values in (heat, area))
    fit = ids.ndim == 1 and ids.shape == labels.shape == called.shape == heat.shape == area.shape
    if not (fit and within):
        raise ShareRecordError(f"{path} is damaged. scripts/evaluate_localization.py makes it anew.")
    return found
