"""Photos unlike the others: blurred, dark, over-exposed, tiny, of an unusual shape, or far from their class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.audit.image_statistics import ImageStatistics

# As stored in `audit.json`: "washed out" is over-exposed, "odd shape" an unusual aspect ratio.
Kind = Literal["blurred", "dark", "washed out", "tiny", "odd shape", "far from its class"]

# A value this many robust standard deviations from the median is unusual (Iglewicz and Hoaglin 1993).
UNUSUAL = 3.5
DARK_HIGHLIGHTS = 0.45  # not even the lightest hundredth of the photo is half as light as white
PALE_SHADOWS = 0.35  # nothing in the photo is dark
TINY_SIDE = 200  # pixels; a model input of 224 would have to be enlarged
LONG_SHAPE = 2.0  # long side over short side: the central square shows less than half of the photo

MEANING: Mapping[Kind, str] = {
    "blurred": "variance of the Laplacian at a short side of 256 pixels; low: nothing is in focus",
    "dark": f"strongest channel that 1 % of the pixels exceed, 0 to 1; below {DARK_HIGHLIGHTS}",
    "washed out": f"weakest channel that 1 % of the pixels fall below, 0 to 1; above {PALE_SHADOWS}",
    "tiny": f"short side in pixels; below {TINY_SIDE}",
    "odd shape": f"long side over short side; above {LONG_SHAPE}",
    "far from its class": "cosine with the mean of the other photos of its class; unusually low for that class",
}


@dataclass(frozen=True)
class Outlier:
    """A photo that is unusual in one way.

    Attributes:
        photo_id: the photo.
        kind: in which way it is unusual.
        value: the measurement; `MEANING[kind]` says what it is.
    """

    photo_id: int
    kind: Kind
    value: float


def image_outliers(statistics: ImageStatistics) -> list[Outlier]:
    """Outliers by the pixels alone.

    "Blurred" lies more than UNUSUAL robust standard deviations below the median log sharpness of these photos; the
    other kinds have fixed thresholds.

    Returns:
        The outliers, kind by kind, the most unusual of each first, equals by id.
    """
    sides = np.sort(statistics.sizes, axis=1).astype(np.float64)
    shape = sides[:, 1] / sides[:, 0]
    blurred = robust_z(np.log(np.maximum(statistics.sharpness, 1e-9))) < -UNUSUAL
    highlights, shadows = statistics.highlights, statistics.shadows
    return [
        *_ranked("blurred", statistics.ids, statistics.sharpness, blurred, lowest=True),
        *_ranked("dark", statistics.ids, highlights, highlights < DARK_HIGHLIGHTS, lowest=True),
        *_ranked("washed out", statistics.ids, shadows, shadows > PALE_SHADOWS, lowest=False),
        *_ranked("tiny", statistics.ids, sides[:, 0], sides[:, 0] < TINY_SIDE, lowest=True),
        *_ranked("odd shape", statistics.ids, shape, shape > LONG_SHAPE, lowest=False),
    ]


def embedding_outliers(embeddings: ArrayLike, ids: NDArray[np.int64], labels: NDArray[np.int64]) -> list[Outlier]:
    """Photos whose embedding is unusually far from the rest of their class.

    Each class is judged by its own spread: a class of many appearances (roses of all colours) has no more outliers
    than others. Classes of fewer than five photos are left out.

    Args:
        embeddings: (n, c), none zero.
        ids: (n,) photo ids.
        labels: (n,) their labels.

    Returns:
        The outliers, lowest cosine first, equals by id.
    """
    cosines = cosine_to_class(embeddings, labels)
    unusual = np.zeros(len(ids), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) >= 5:
            unusual[members] = robust_z(cosines[members]) < -UNUSUAL
    return _ranked("far from its class", ids, cosines, unusual, lowest=True)


def cosine_to_class(embeddings: ArrayLike, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cosine of each photo with the mean direction of the other photos of its class.

    Args:
        embeddings: (n, c), none zero.
        labels: (n,).

    Returns:
        (n,) float64 in [-1, 1]; 1 where a class has one photo.

    Raises:
        ValueError: the arrays do not belong together, or an embedding is zero or not finite.
    """
    vectors = np.asarray(embeddings, dtype=np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if vectors.shape[:1] != labels.shape or not (np.isfinite(norms).all() and (norms > 0).all()):
        raise ValueError("Every photo needs one embedding that is not zero and holds finite numbers only.")
    vectors = vectors / norms
    cosines = np.ones(len(vectors))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) > 1:
            # Without the photo itself: with ten photos a class it would pull the mean to its own side.
            others = vectors[members].sum(axis=0) - vectors[members]
            lengths = np.maximum(np.linalg.norm(others, axis=1), np.finfo(float).tiny)
            cosines[members] = (vectors[members] * others).sum(axis=1) / lengths
    return np.clip(cosines, -1, 1)


def robust_z(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Modified z-score: 0.6745 (x − median) / MAD (Iglewicz and Hoaglin 1993).

    0 throughout where more than half of the values are equal: there is no spread to judge by.
    """
    middle = np.median(values)
    spread = np.median(np.abs(values - middle))
    return 0.6745 * (values - middle) / spread if spread > 0 else np.zeros(len(values))


def _ranked(
    kind: Kind, ids: NDArray[np.int64], values: NDArray[np.float64], unusual: NDArray[np.bool_], *, lowest: bool
) -> list[Outlier]:
    found = [Outlier(int(ids[at]), kind, float(values[at])) for at in np.flatnonzero(unusual)]
    return sorted(found, key=lambda photo: (photo.value if lowest else -photo.value, photo.photo_id))
