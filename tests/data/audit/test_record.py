import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.audit.image_statistics import measure_photos
from flowers_core.data.audit.label_issues import LabelIssue
from flowers_core.data.audit.near_duplicates import NearDuplicate, near_leaks
from flowers_core.data.audit.outliers import Outlier
from flowers_core.data.audit.record import AuditError, AuditRecord, load_audit, run_audit
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.prediction import softmax
from flowers_core.storage.files import write_json


@pytest.fixture(scope="module")
def record(drawn_dataset: OxfordFlowers) -> AuditRecord:
    """An audit with a model that is right about every test photo but one, where it is very sure of another class."""
    facts = measure_photos(drawn_dataset.ids, drawn_dataset.path)
    rng = np.random.default_rng(0)
    embeddings = (np.eye(103)[drawn_dataset.labels] + rng.random((len(facts), 103)) * 0.1).astype(np.float32)
    ids = drawn_dataset.split_ids("test")
    labels = drawn_dataset.labels[ids - 1]
    logits = np.zeros((len(ids), 102), np.float32)
    logits[np.arange(len(ids)), labels - 1] = 9
    logits[4] = 0
    logits[4, 101 if labels[4] != 102 else 1] = 12
    return run_audit(
        facts,
        embeddings,
        drawn_dataset.labels,
        [("test", ids, softmax(logits), labels)],
        fingerprint="f" * 64,
        model="drawn",
    )


def test_the_one_wrong_label_is_suspect(record: AuditRecord, drawn_dataset: OxfordFlowers) -> None:
    (suspect,) = record.label_issues
    assert suspect.photo_id == drawn_dataset.split_ids("test")[4]
    assert suspect.label == drawn_dataset.label_of(suspect.photo_id)
    assert suspect.suggested == (102 if suspect.label != 102 else 2)
    assert record.judged_splits == ("test",)
    assert {photo.kind for photo in record.outliers} >= {"tiny"}
    assert all(photo.value < 200 for photo in record.outliers_of("tiny"))


def test_a_record_comes_back_as_it_was_written(record: AuditRecord, tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    write_json(path, record.to_json())
    once = load_audit(path)
    write_json(path, once.to_json())
    assert load_audit(path) == once
    assert (once.photos, once.fingerprint, once.model) == (record.photos, record.fingerprint, record.model)
    assert [photo.photo_id for photo in once.outliers] == [photo.photo_id for photo in record.outliers]
    assert (once.max_distance, once.min_cosine) == (12, 0.85)
    other = replace(once, max_distance=7, min_cosine=0.91)
    write_json(path, other.to_json())
    assert load_audit(path) == other
    assert once.label_issues[0].margin == pytest.approx(record.label_issues[0].margin, abs=1e-5)


def test_a_record_of_schema_1_is_read_by_the_names_of_today(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    pair = {"first": 1, "second": 4, "distance": 3, "mirrored": True, "cosine": 1, "identical": False}
    issue = {"photo_id": 4, "label": 2, "suggested": 7, "self_confidence": 0.01, "margin": -0.9}
    values = {
        "schema_version": 1,
        "rules": {"near": {"max_distance_of_64_bits": 9, "min_cosine": 0.8}},
        "photos": 5,
        "fingerprint": "f",
        "model": "seer",
        "near": [pair],
        "judged_splits": ["test"],
        "suspects": [issue],
        "oddities": [{"photo_id": 2, "kind": "tiny", "value": 150.0}],
    }
    path.write_text(json.dumps(values))
    expected = AuditRecord(
        photos=5,
        fingerprint="f",
        model="seer",
        near_duplicates=(NearDuplicate(1, 4, 3, True, 1.0, False),),
        judged_splits=("test",),
        label_issues=(LabelIssue(4, 2, 7, 0.01, -0.9),),
        outliers=(Outlier(2, "tiny", 150.0),),
        max_distance=9,
        min_cosine=0.8,
    )
    assert load_audit(path) == expected
    write_json(path, expected.to_json())
    assert set(json.loads(path.read_text())) - set(values) == {
        *("near_duplicates", "label_issues", "outliers", "max_distance", "min_cosine")
    }
    assert load_audit(path) == expected


def test_records_that_cannot_be_used(record: AuditRecord, tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    with pytest.raises(AuditError, match="cannot be read"):
        load_audit(path)
    path.write_text("[]")
    with pytest.raises(AuditError, match="damaged"):
        load_audit(path)
    path.write_text(json.dumps(record.to_json() | {"schema_version": 99}))
    with pytest.raises(AuditError, match="schema version 99"):
        load_audit(path)
    path.write_text(json.dumps(record.to_json() | {"outliers": [{"photo_id": 1, "kind": "odd", "value": 1.0}]}))
    with pytest.raises(AuditError, match="damaged"):
        load_audit(path)
    path.write_text(json.dumps(record.to_json() | {"label_issues": [{"photo": 1}]}))
    with pytest.raises(AuditError, match="damaged"):
        load_audit(path)


def test_groups_of_identical_files_and_copies_seen_in_training() -> None:
    pairs = (
        NearDuplicate(1, 4, 0, False, 1.0, True),
        NearDuplicate(2, 5, 0, False, 1.0, True),
        NearDuplicate(5, 6, 0, False, 1.0, True),
        NearDuplicate(3, 6, 4, False, 0.9, False),
    )
    record = AuditRecord(6, "", "", pairs, (), (), ())
    assert record.identical == [(1, 4), (2, 5, 6)]
    ids = np.arange(1, 7)
    splits = np.array(["train", "validation", "train", "test", "test", "test"])
    assert near_leaks(pairs, ids, splits, "test", {"train"}).tolist() == [4, 6]
    assert near_leaks(pairs, ids, splits, "test", {"train", "validation"}).tolist() == [4, 5, 6]
