"""The record of representer points on test photos: whether the sums hold, and what they foretell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flowers_core.errors import FlowersError
from flowers_core.explain.metrics.interval import Interval
from flowers_core.storage.typed_json import read_record

REPRESENTERS_FILE = "representers.json"


class RepresenterRecordError(FlowersError):
    """A record of representer points that cannot be read; the message says why."""


@dataclass(frozen=True)
class RepresenterRecord:
    """The shares of training photos, and heads that were fitted without some of them.

    Attributes:
        training_photos: that the head was fitted to.
        test_photos: all of which were answered once more as a sum over training photos.
        agreement: fraction of them with the shipped head's answer.
        largest_error: of a sum against the shipped head's logit of the answer, in logits.
        regularization: λ of the heads that were fitted without some photos.
        sampled: test photos, drawn at random, that the rest is about.
        seed: of all draws.
        subsets: random halves of the training photos, each with a head of its own.
        datamodelling: linear datamodelling score: rank correlation over the halves between the answer's logit and the
            sum of the shares of the half's photos, mean over the test photos.
        removed: photos that are taken out.
        fall: of the answer's logit without those that speak most for it, as a fraction of the logit.
        random_fall: the same without random ones of the answer's class.
        milliseconds: for the shares of one photo, the median.
    """

    training_photos: int
    test_photos: int
    agreement: float
    largest_error: float
    regularization: float
    sampled: int
    seed: int
    subsets: int
    datamodelling: Interval
    removed: int
    fall: Interval
    random_fall: Interval
    milliseconds: float

    @property
    def times_random(self) -> float:
        """How many times as far the logit falls as without random photos of the class."""
        return self.fall.value / self.random_fall.value


def load_representer_record(path: Path) -> RepresenterRecord:
    """Read the JSON file of a record. Raises RepresenterRecordError if the file is not such a record."""
    return read_record(RepresenterRecord, path, "representer points", RepresenterRecordError)
