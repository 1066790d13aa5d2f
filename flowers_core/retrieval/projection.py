"""A map of the embeddings: every photo a point in the plane, photos that the model finds similar near each other."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.errors import FlowersError
from flowers_core.storage.npz import NpzError, read_npz

PROJECTION_FILE = "projection.npz"
COMPONENTS = 50
PERPLEXITY = 30.0
# The map's trustworthiness is estimated from this many photos, because it needs all distances among them.
_JUDGED = 2000


class ProjectionError(FlowersError):
    """A map that cannot be read."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Positions of n photos on the map.

    Only nearness has a meaning; the axes and the distances between groups have none.

    Attributes:
        ids: (n,) int64.
        points: (n, 2) float32, centred, the farthest coordinate at ±1.
        trustworthiness: in [0, 1], the degree to which neighbours on the map are neighbours among the embeddings too
            (Venna and Kaski 2001).
    """

    ids: NDArray[np.int64]
    points: NDArray[np.float32]
    trustworthiness: float

    def arrays(self) -> dict[str, ArrayLike]:
        """What `load_projection` reads, by name."""
        return {"ids": self.ids, "points": self.points, "trustworthiness": self.trustworthiness}


def project(vectors: ArrayLike, ids: ArrayLike, *, seed: int = 0) -> Projection:
    """Lay embeddings out in the plane: principal components, then t-SNE (van der Maaten and Hinton 2008).

    Both are scikit-learn's, t-SNE with the Barnes-Hut approximation. It is initialized with the first two components,
    so that the global arrangement is that of the data. The same seed gives the same map on the same machine. 8189
    photos take about two minutes on two cores.

    Args:
        vectors: (n, c), norm 1, n ≥ 4.
        ids: (n,).
        seed: of the layout.

    Returns:
        The map.

    Raises:
        ValueError: if there are fewer than four vectors, or the shapes do not fit.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE, trustworthiness

    unit, photo_ids = np.asarray(vectors, dtype=np.float32), np.array(ids, dtype=np.int64)
    if unit.ndim != 2 or photo_ids.shape != unit.shape[:1] or len(unit) < 4:
        raise ValueError(
            f"A map needs at least four vectors and an id for each, not {unit.shape} and {photo_ids.shape}."
        )
    components = min(COMPONENTS, *unit.shape)
    reduced = PCA(components, svd_solver="randomized", random_state=seed).fit_transform(unit)
    perplexity = min(PERPLEXITY, (len(unit) - 1) / 3)
    points = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    points -= points.mean(axis=0)
    points /= max(float(np.abs(points).max()), np.finfo(np.float32).tiny)
    judged = np.random.default_rng(seed).permutation(len(unit))[:_JUDGED]
    nearest = min(5, (len(judged) - 1) // 2)
    trust = float(trustworthiness(unit[judged], points[judged], n_neighbors=nearest)) if nearest >= 1 else 1.0
    return Projection(photo_ids, points.astype(np.float32), trust)


def load_projection(path: Path) -> Projection:
    """Read a file of `Projection.arrays`. Raises ProjectionError when it is missing or damaged."""
    try:
        arrays = read_npz(path)
        found = Projection(
            arrays["ids"].astype(np.int64), arrays["points"].astype(np.float32), float(arrays["trustworthiness"])
        )
    except (NpzError, KeyError, ValueError, TypeError) as error:
        raise ProjectionError(f"{path} cannot be read. `flowers project_embeddings` makes it anew.") from error
    if found.points.shape != (len(found.ids), 2) or not np.isfinite(found.points).all():
        raise ProjectionError(f"{path} is damaged. `flowers project_embeddings` makes it anew.")
    return found
