"""The prototypes of a bundle's classes, from the embeddings in its gallery."""

import numpy as np

from flowers_core.inference.bundle import Bundle
from flowers_core.inference.prototypes import Prototypes, fit_prototypes
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE, Gallery, unit_rows
from flowers_core.retrieval.taught_model import taught_model


def prototypes_of(bundle: Bundle, gallery: Gallery | None = None) -> Prototypes | None:
    """A bundle's prototypes, over the splits that it was trained on.

    Args:
        bundle: the bundle.
        gallery: its gallery; None loads it.

    Returns:
        The prototypes, or None for a bundle without a gallery or without a record of its training.
    """
    if not (bundle.has(INDEX_FILE) and bundle.has(RECORDS_FILE) and bundle.manifest.training):
        return None
    known = gallery or Gallery.load(bundle.path(INDEX_FILE), bundle.path(RECORDS_FILE))
    splits = bundle.fitted_splits
    chosen = np.isin(known.splits, list(splits))
    vectors, labels = known.vectors(splits), known.labels[chosen]
    if bundle.manifest.taught:
        taught = taught_model(bundle).examples
        vectors = np.concatenate([vectors, unit_rows(taught.embeddings.astype(np.float32))])
        labels = np.concatenate([labels, taught.columns + 1])
    return fit_prototypes(vectors, labels, len(bundle.class_names))
