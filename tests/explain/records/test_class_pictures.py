"""The record of class pictures, written and read back."""

import json
from pathlib import Path

import pytest

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.class_pictures import (
    ClassPictureRecord,
    ClassPictureRecordError,
    load_class_picture_record,
)
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import to_json

RECORD = ClassPictureRecord(102, 16, 0.5, 0, Interval(0.98, 0.95, 1.0), Interval(0.9, 0.85, 0.95), 11_990, 3.2)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_json(tmp_path / "record.json", to_json(RECORD))
    assert load_class_picture_record(tmp_path / "record.json") == RECORD


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(json.dumps({"pictures": "many"}))
    with pytest.raises(ClassPictureRecordError, match=r"record\.json"):
        load_class_picture_record(tmp_path / "record.json")
