"""Where the photos of a large gallery lie on the map of the photos that its model knows.

t-SNE lays out some thousand photos and no millions. A photo of the gallery is put at the weighted mean of the known
photos that it is most like, as openTSNE starts a new point in a finished map. A page gets no millions of points either:
`dots` counts them in squares, until few are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from flowers_core.inference.bundle import Bundle
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery
from flowers_core.retrieval.projection import PROJECTION_FILE, Projection, load_projection
from flowers_core.retrieval.stores.quick_index import QuickIndex
from flowers_core.retrieval.stores.space import EmbeddingSpace
from flowers_core.storage.files import write_atomically

#: Within the folder of the quick index whose rows it places.
MAP_FILE = "map.npy"
#: Left, bottom, right, top.
Box = tuple[float, float, float, float]
WHOLE: Box = (-1.04, -1.04, 1.04, 1.04)
#: Dots on a page: so many photos at most, or squares along each side.
MOST_PHOTOS, SQUARES = 3000, 64
_NEAREST, _SHARPNESS = 5, 20.0
_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class Dots:
    """What is drawn of the photos in a box.

    Attributes:
        x, y: (m,) float, where each dot is.
        counts: (m,) int64, photos that it stands for.
        rows: of each photo in the box, its row of the map; and in `dot` the dot that stands for it.
        dot: of each photo in the box.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    dot: NDArray[np.int64]


def place_on_map(
    index: QuickIndex,
    space: EmbeddingSpace,
    known: Gallery,
    projection: Projection,
) -> NDArray[np.float32]:
    """Each photo of an index at the mean of the five known photos that it is most like, the most alike counting most.

    Args:
        index: of the large gallery.
        space: of the large gallery.
        known: the gallery of the same model.
        projection: the map of it.

    Returns:
        (n, 2) float32 in [-1, 1], in the order of the index' rows.
    """
    _, here, there = np.intersect1d(known.ids, projection.ids, return_indices=True)
    landmarks = faiss.IndexFlatIP(space.dimension)
    landmarks.add(space.project(known.vectors()[here]))
    places = projection.points[there]
    index.index.make_direct_map()
    points = np.empty((len(index), 2), np.float32)
    for start in range(0, len(index), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(index)))
        cosines, nearest = landmarks.search(index.index.reconstruct_batch(rows), min(_NEAREST, len(here)))
        weights = np.exp(_SHARPNESS * (cosines - cosines[:, :1]))
        points[rows] = (places[nearest] * weights[..., None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    return points


def keep_map(bundle: Bundle, index: QuickIndex, space: EmbeddingSpace, folder: Path) -> None:
    """Place the photos of an index on its model's map and keep that beside it, unless it is there or there is no map.

    Args:
        bundle: the model.
        index: of the large gallery.
        space: of the large gallery.
        folder: of the index.

    Raises:
        FlowersError: the bundle's gallery or map cannot be read.
    """
    if not bundle.has(PROJECTION_FILE) or load_map(folder, len(index)) is not None:
        return
    known = Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE), bundle.photo_set)
    points = place_on_map(index, space, known, load_projection(bundle.path(PROJECTION_FILE)))
    write_atomically(folder / MAP_FILE, lambda path: np.save(path, points))


def load_map(folder: Path, count: int) -> NDArray[np.float32] | None:
    """The map beside an index, mapped from disk; None where there is none of this index.

    Args:
        folder: of the index.
        count: of its rows.
    """
    try:
        points: NDArray[np.float32] = np.load(folder / MAP_FILE, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    return points if points.shape == (count, 2) else None


def dots(points: NDArray[np.float32], box: Box = WHOLE, *, most: int = MOST_PHOTOS, squares: int = SQUARES) -> Dots:
    """The photos in a box: each a dot where they are few, else a dot for each square that holds some.

    Args:
        points: (n, 2).
        box: what is looked at.
        most: photos up to which each is a dot.
        squares: along each side of the box.
    """
    left, bottom, right, top = box
    x, y = points[:, 0], points[:, 1]
    rows = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
    if len(rows) <= most:
        each = np.arange(len(rows))
        return Dots(x[rows], y[rows], np.ones(len(rows), np.int64), rows, each)
    column, row = (
        np.minimum(((values[rows] - low) / (high - low) * squares).astype(np.int64), squares - 1)
        for values, low, high in ((x, left, right), (y, bottom, top))
    )
    square = row * squares + column
    held = np.bincount(square, minlength=squares**2)
    # Squares that hold photos, by number: a sort of a million would take longer than all else here.
    dot, counts = (np.cumsum(held > 0) - 1)[square], held[held > 0]
    # A dot lies in the middle of its photos, so that it lies on them.
    middle_x, middle_y = (np.bincount(dot, weights=values[rows]) / counts for values in (x, y))
    return Dots(middle_x.astype(np.float32), middle_y.astype(np.float32), counts, rows, dot)
