"""The record of counterfactuals on confused test photos: how few positions turn the answer, and what pixels say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flowers_core.errors import FlowersError
from flowers_core.explain.metrics.interval import Interval
from flowers_core.storage.typed_json import read_record

COUNTERFACTUALS_FILE = "counterfactuals.json"


class CounterfactualRecordError(FlowersError):
    """A record of counterfactuals that cannot be read; the message says why."""


@dataclass(frozen=True)
class CounterfactualRecord:
    """Mistaken test photos, each against a training photo of its true class.

    Attributes:
        photos: how many.
        seed: draws them and the random exchanges.
        places: positions of a feature map.
        few: `turned_with_few` counts exchanges of at most so many positions.
        turned_with_few: fraction of photos whose answer turns with so few.
        replaced: positions that are replaced, the median.
        milliseconds: for one exchange, the median.
        turned_on_pixels: fraction of photos whose answer is the true class once the patches are pasted.
        changed_on_pixels: fraction of photos where that, or the odds of the answer against the true class are halved.
        changed_at_random: the same fraction for random exchanges of as many positions.
    """

    photos: int
    seed: int
    places: int
    few: int
    turned_with_few: Interval
    replaced: float
    milliseconds: float
    turned_on_pixels: Interval
    changed_on_pixels: Interval
    changed_at_random: Interval


def load_counterfactuals(path: Path) -> CounterfactualRecord:
    """Read the JSON file of a record. Raises CounterfactualRecordError if the file is not such a record."""
    return read_record(CounterfactualRecord, path, "counterfactuals", CounterfactualRecordError)
