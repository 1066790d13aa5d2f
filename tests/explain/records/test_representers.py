"""The record of representer points, written and read back."""

from pathlib import Path

import pytest

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.representers import (
    RepresenterRecord,
    RepresenterRecordError,
    load_representer_record,
)
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import to_json

RECORD = RepresenterRecord(
    training_photos=2040,
    test_photos=6149,
    agreement=1.0,
    largest_error=1e-13,
    regularization=0.1,
    sampled=100,
    seed=0,
    subsets=50,
    datamodelling=Interval(0.9, 0.8, 1.0),
    removed=10,
    fall=Interval(0.06, 0.05, 0.07),
    random_fall=Interval(0.03, 0.02, 0.04),
    milliseconds=0.2,
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_json(tmp_path / "record.json", to_json(RECORD))
    assert load_representer_record(tmp_path / "record.json") == RECORD
    assert RECORD.times_random == pytest.approx(2)


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    write_json(tmp_path / "record.json", {"sampled": "many"})
    with pytest.raises(RepresenterRecordError, match=r"record\.json"):
        load_representer_record(tmp_path / "record.json")
