"""The record of a model's class pictures: whether the model names what it made itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flowers_core.errors import FlowersError
from flowers_core.explain.metrics.interval import Interval
from flowers_core.storage.typed_json import read_record

CLASS_PICTURE_RECORD_FILE = "class_pictures.json"


class ClassPictureRecordError(FlowersError):
    """A record of class pictures that cannot be read; the message says why."""


@dataclass(frozen=True)
class ClassPictureRecord:
    """A model before random crops of the pictures that it made of its classes.

    Attributes:
        pictures: how many.
        crops: of each.
        least_side: of a crop, in the picture's.
        seed: draws the crops.
        named: fraction of pictures whose class is what most of their crops are named.
        crops_named: fraction of crops that are named rightly.
        largest_bytes: of a picture.
        seconds: of processor time that a picture took, the median.
    """

    pictures: int
    crops: int
    least_side: float
    seed: int
    named: Interval
    crops_named: Interval
    largest_bytes: int
    seconds: float


def load_class_picture_record(path: Path) -> ClassPictureRecord:
    """Read the JSON file of a record. Raises ClassPictureRecordError if the file is not such a record."""
    return read_record(ClassPictureRecord, path, "class pictures", ClassPictureRecordError)
