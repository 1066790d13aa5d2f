"""What is fitted to a gallery, always to photos that the model has not learnt from where there are any."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from flowers_core.inference.records.gallery import KnnRule
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.knn import fit_knn_rule
from flowers_core.retrieval.similarity import ClassSimilarity, fit_class_similarity


def class_similarity_of(gallery: Gallery, fitted_splits: Collection[str]) -> ClassSimilarity:
    """The similarities within a class, over the photos outside `fitted_splits`, or over all where there are none.

    Raises:
        ValueError: for a gallery without digests, by which exact duplicates are told.
    """
    if gallery.digests is None:
        raise ValueError("The gallery has no digests of its photos.")
    chosen = ~np.isin(gallery.splits, list(fitted_splits))
    if not chosen.any():
        chosen[:] = True
    digests = [row.tobytes() for row in gallery.digests[chosen]]
    return fit_class_similarity(gallery.vectors()[chosen], gallery.labels[chosen], digests=digests)


def knn_rule_of(gallery: Gallery, fitted_splits: Collection[str]) -> KnnRule | None:
    """The k-NN rule by which training photos name validation photos best; None where the model has learnt from those,
    or one of the two splits is not there."""
    asked, voters = (gallery.splits == split for split in ("validation", "train"))
    if "validation" in fitted_splits or not asked.any() or not voters.any():
        return None
    vectors = gallery.vectors()
    return fit_knn_rule(
        vectors[asked], gallery.labels[asked], vectors[voters], gallery.labels[voters], splits=("train",)
    )
