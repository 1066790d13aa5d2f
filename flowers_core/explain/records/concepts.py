"""The record of a model's concepts on test photos: what they keep of it, what removing one does, which are stable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flowers_core.errors import FlowersError
from flowers_core.explain.metrics.interval import Interval
from flowers_core.storage.typed_json import read_record

CONCEPT_RECORD_FILE = "concepts.json"


class ConceptRecordError(FlowersError):
    """A record of concepts that cannot be read; the message says why."""


@dataclass(frozen=True)
class ConceptRecord:
    """Concepts on photos that neither they nor the model were fitted to.

    Attributes:
        photos: how many, of the test split.
        seed: draws the photos.
        concepts: in the dictionary.
        top1: of the model, 0…1.
        top1_through: of the head on the factorization alone, 0…1.
        kept: fraction of photos whose answer is the same through the factorization.
        first_removed: by how much the answer's logit falls without its first concept, mean.
        random_removed: the same without a concept that is drawn from those present, mean.
        largest_error: of shares, residual and bias summed, against the float head's logit, in logits.
        milliseconds: for one photo, the median.
        stable: fraction of concepts that a fit with another seed finds again, with a cosine of at least `alike`.
        alike: that cosine.
    """

    photos: int
    seed: int
    concepts: int
    top1: float
    top1_through: float
    kept: Interval
    first_removed: Interval
    random_removed: Interval
    largest_error: float
    milliseconds: float
    stable: float
    alike: float

    @property
    def accuracy_kept(self) -> float:
        """Accuracy through the factorization ÷ the model's."""
        return self.top1_through / self.top1

    @property
    def first_over_random(self) -> float:
        """How many times as much the first concept takes away as one drawn from those present."""
        return self.first_removed.value / self.random_removed.value


def load_concept_record(path: Path) -> ConceptRecord:
    """Read the JSON file of a record. Raises ConceptRecordError if the file is not such a record."""
    return read_record(ConceptRecord, path, "concepts", ConceptRecordError)
