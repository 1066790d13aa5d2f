"""What a gallery's compression costs: how many of the true neighbours it finds."""

import numpy as np
from numpy.typing import ArrayLike

from flowers_core.retrieval.gallery import Gallery, GalleryError, unit_rows

_BLOCK = 1024


def recall_at_k(gallery: Gallery, embeddings: ArrayLike, k: int) -> float:
    """What the compression costs: the share of true k nearest neighbours that the gallery finds, in [0, 1].

    embeddings: (n, c), row i belonging to gallery.ids[i]. Each photo is asked for with its float32 embedding, itself
    left out, and the answer is held against all float32 cosines. A neighbour counts when its float32 cosine reaches the
    k-th largest, so that equals (byte-identical photos) may stand in for each other.
    """
    vectors = unit_rows(np.asarray(embeddings, dtype=np.float32))
    if vectors.shape != (len(gallery), gallery.dimension) or not 1 <= k < len(gallery):
        raise GalleryError(f"Recall needs one embedding for each of the {len(gallery)} photos, and k below that.")
    found = 0
    places_of = {int(photo_id): place for place, photo_id in enumerate(gallery.ids)}
    for start in range(0, len(vectors), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        for row, similar in enumerate(cosines):
            at = start + row
            similar[at] = -np.inf
            least = np.partition(similar, -k)[-k]
            neighbours = gallery.search(vectors[at], k, exclude=(int(gallery.ids[at]),))
            places = [places_of[neighbour.photo_id] for neighbour in neighbours]
            # Float32 rounds the cosines of equal vectors differently by a few parts in ten million.
            found += int((similar[places] >= least - 1e-6).sum())
    return found / (k * len(vectors))
