"""What is fitted to the photos of a gallery, by preference to photos that the model has not learnt from."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from flowers_core.inference.records.gallery import KnnRule
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.knn import fit_knn_rule
from flowers_core.retrieval.similarity import ClassSimilarity, fit_class_similarity


def class_similarity_of(gallery: Gallery, fitted_splits: Collection[str]) -> ClassSimilarity:
    """Fit the similarities within each class to a gallery.

    Args:
        gallery: with digests.
        fitted_splits: the splits that the model has learnt from. Their photos are left out, unless there are no others.

    Returns:
        The distribution of each class.

    Raises:
        ValueError: for a gallery without digests, which identify exact duplicates.
    """
    if gallery.digests is None:
        raise ValueError("The gallery has no digests of its photos.")
    present = set(gallery.splits.tolist())
    splits = present - set(fitted_splits) or present
    chosen = np.isin(gallery.splits, list(splits))
    digests = [row.tobytes() for row in gallery.digests[chosen]]
    return fit_class_similarity(gallery.vectors(splits), gallery.labels[chosen], digests=digests)


def knn_rule_of(gallery: Gallery, fitted_splits: Collection[str]) -> KnnRule | None:
    """Fit the k-NN rule that predicts validation photos from training photos.

    Args:
        gallery: with photos of both splits.
        fitted_splits: the splits that the model has learnt from.

    Returns:
        The rule; None if the model has learnt from the validation photos, or the gallery lacks one of the two splits.
    """
    queries, neighbours = (gallery.splits == split for split in ("validation", "train"))
    if "validation" in fitted_splits or not queries.any() or not neighbours.any():
        return None
    return fit_knn_rule(
        gallery.vectors(("validation",)),
        gallery.labels[queries],
        gallery.vectors(("train",)),
        gallery.labels[neighbours],
        splits=("train",),
        classes=int(gallery.labels.max()),
    )
