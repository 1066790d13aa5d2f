"""Photos unlike the others: blurred, dark, washed out, tiny, odd in shape, or far from their class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.data.audit.image_statistics import PhotoFacts

Kind = Literal["blurred", "dark", "washed out", "tiny", "odd shape", "far from its class"]

# A value this many robust standard deviations from the middle is unusual (Iglewicz and Hoaglin 1993).
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
class Oddity:
    """A photo that is odd in one way; `MEANING[kind]` says what `value` is."""

    photo_id: int
    kind: Kind
    value: float


def odd_pictures(facts: PhotoFacts) -> list[Oddity]:
    """What the pixels alone give away, kind by kind, the worst of each first, equals by id.

    Blurred is what lies more than UNUSUAL robust standard deviations below the median log sharpness of these photos;
    the other kinds have fixed bounds.
    """
    sides = np.sort(facts.sizes, axis=1).astype(np.float64)
    shape = sides[:, 1] / sides[:, 0]
    blurred = robust_z(np.log(np.maximum(facts.sharpness, 1e-9))) < -UNUSUAL
    return [
        *_worst("blurred", facts.ids, facts.sharpness, blurred, lowest=True),
        *_worst("dark", facts.ids, facts.highlights, facts.highlights < DARK_HIGHLIGHTS, lowest=True),
        *_worst("washed out", facts.ids, facts.shadows, facts.shadows > PALE_SHADOWS, lowest=False),
        *_worst("tiny", facts.ids, sides[:, 0], sides[:, 0] < TINY_SIDE, lowest=True),
        *_worst("odd shape", facts.ids, shape, shape > LONG_SHAPE, lowest=False),
    ]


def far_from_class(embeddings: ArrayLike, ids: NDArray[np.int64], labels: NDArray[np.int64]) -> list[Oddity]:
    """Photos whose embedding is unusually unlike the rest of their class, the most unlike first, equals by id.

    embeddings: (n, c), none zero; ids, labels: (n,). A class is judged by its own spread, so that one of many looks
    (roses of all colours) is not all outliers; classes of fewer than five photos are left out.
    """
    cosines = cosine_to_class(embeddings, labels)
    odd = np.zeros(len(ids), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) >= 5:
            odd[members] = robust_z(cosines[members]) < -UNUSUAL
    return _worst("far from its class", ids, cosines, odd, lowest=True)


def cosine_to_class(embeddings: ArrayLike, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cosine of each photo with the mean direction of the other photos of its class; 1 where it has no others."""
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
    """Distance from the median in robust standard deviations: 0.6745 (x − median) / MAD (Iglewicz and Hoaglin 1993).

    0 throughout where more than half of the values are equal: there is no spread to judge by.
    """
    middle = np.median(values)
    spread = np.median(np.abs(values - middle))
    return 0.6745 * (values - middle) / spread if spread > 0 else np.zeros(len(values))


def _worst(
    kind: Kind, ids: NDArray[np.int64], values: NDArray[np.float64], odd: NDArray[np.bool_], *, lowest: bool
) -> list[Oddity]:
    found = [Oddity(int(ids[at]), kind, float(values[at])) for at in np.flatnonzero(odd)]
    return sorted(found, key=lambda photo: (photo.value if lowest else -photo.value, photo.photo_id))
