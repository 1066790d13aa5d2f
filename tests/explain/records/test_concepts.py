"""The record of concepts, written and read back."""

from pathlib import Path

import pytest

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.concepts import ConceptRecord, ConceptRecordError, load_concept_record
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import to_json

RECORD = ConceptRecord(
    photos=400,
    seed=0,
    concepts=200,
    top1=0.96,
    top1_through=0.9504,
    kept=Interval(0.98, 0.97, 0.99),
    first_removed=Interval(3.0, 2.5, 3.5),
    random_removed=Interval(0.25, 0.2, 0.3),
    largest_error=1e-6,
    milliseconds=12.0,
    stable=0.85,
    alike=0.8,
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_json(tmp_path / "concepts.json", to_json(RECORD))
    assert load_concept_record(tmp_path / "concepts.json") == RECORD
    assert RECORD.accuracy_kept == pytest.approx(0.99)
    assert RECORD.first_over_random == pytest.approx(12)


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    write_json(tmp_path / "concepts.json", {"photos": 3})
    with pytest.raises(ConceptRecordError, match=r"concepts\.json"):
        load_concept_record(tmp_path / "concepts.json")
