"""Parts of a set of predictions: by how sure the model was, by family, and without copies."""

from collections.abc import Collection, Iterable

import numpy as np

from flowers_core.data.taxonomy import Taxon
from flowers_core.evaluation.report import Predictions
from flowers_core.inference.prediction import softmax


def by_confidence(predictions: Predictions, temperature: float, low: float = 0.0, high: float = 1.0) -> Predictions:
    """The photos whose answer has a probability in [low, high] at this temperature."""
    if not 0 <= low <= high <= 1:
        raise ValueError(f"A range of confidence runs from low to high within 0 to 1, not from {low} to {high}.")
    top = softmax(predictions.logits, temperature).max(axis=1)
    # A softmax may exceed 1 by a hair, and still is no more than sure.
    return predictions.select((top >= low) & (np.minimum(top, 1.0) <= high))


def by_family(predictions: Predictions, families: Collection[str], taxonomy: Iterable[Taxon]) -> Predictions:
    """The photos whose true class is of one of these families."""
    labels = [taxon.label for taxon in taxonomy if taxon.family in families]
    return predictions.select(np.isin(predictions.labels, labels))


def without(predictions: Predictions, photo_ids: Iterable[int]) -> Predictions:
    """All photos but these."""
    return predictions.select(~np.isin(predictions.ids, list(photo_ids)))
