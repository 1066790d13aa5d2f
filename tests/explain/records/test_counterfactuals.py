"""The record of counterfactuals, written and read back."""

import json
from pathlib import Path

import pytest

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.counterfactuals import (
    CounterfactualRecord,
    CounterfactualRecordError,
    load_counterfactuals,
)
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import to_json

SHARE = Interval(0.9, 0.8, 1.0)
RECORD = CounterfactualRecord(200, 0, 64, 6, SHARE, 3.0, 1.5, SHARE, SHARE, Interval(0.2, 0.1, 0.3))


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_json(tmp_path / "record.json", to_json(RECORD))
    assert load_counterfactuals(tmp_path / "record.json") == RECORD


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(json.dumps({"photos": "many"}))
    with pytest.raises(CounterfactualRecordError, match=r"record\.json"):
        load_counterfactuals(tmp_path / "record.json")
