"""The figures of a split with and without photos that lie in another split too, counted by hand."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.audit.near_duplicates import NearDuplicate
from flowers_core.data.audit.record import AUDIT_FILE, AuditRecord
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation.official import audit_of, figures_of, figures_without_near_duplicates
from flowers_core.evaluation.predictions import Predictions
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.inference.records.calibration import Calibration

CALIBRATION = Calibration(2.0, 0.98, 0.9, 0.5)


def predictions(ids: list[int], labels: list[int], called: list[int]) -> Predictions:
    logits = np.full((len(ids), 102), -5.0, np.float32)
    logits[np.arange(len(ids)), np.array(called) - 1] = 5
    return Predictions(np.array(ids), np.array(labels), logits)


def test_duplicates_are_left_out_of_a_second_set_of_figures() -> None:
    int8 = predictions([1, 2, 3, 4], [5, 5, 6, 6], [5, 6, 6, 6])
    exact = predictions([1, 2, 3, 4], [5, 5, 6, 6], [5, 5, 6, 5])
    found = figures_of(int8, exact, CALIBRATION, np.array([1]))
    assert (found.photos, found.top1, found.balanced_accuracy) == (4, 3 / 4, (1 / 2 + 1) / 2)
    assert found.agreement == 2 / 4  # on photos 1 and 3
    alone = found.without_duplicates
    assert alone is not None
    # Without photo 1: of class 5 none of one is right, of class 6 both.
    assert (alone.photos, alone.top1, alone.balanced_accuracy) == (3, pytest.approx(2 / 3), 1 / 2)
    # Both sets of probabilities are above 0.99 and right three times in four; a temperature of 2 makes them modest.
    assert found.ece < found.ece_uncalibrated


def audit(fingerprint: str, *pairs: NearDuplicate) -> AuditRecord:
    return AuditRecord(72, fingerprint, "drawn", pairs, (), (), (), max_distance=9, min_cosine=0.8)


def test_a_near_duplicate_counts_only_across_splits(drawn_dataset: OxfordFlowers) -> None:
    train, test = drawn_dataset.split_ids("train").tolist(), drawn_dataset.split_ids("test").tolist()
    labels = [drawn_dataset.label_of(photo) for photo in test]
    wrong = predictions(test, labels, [labels[0] % 102 + 1, *labels[1:]])
    pairs = [
        NearDuplicate(min(pair), max(pair), 5, False, 0.9, False) for pair in ((train[0], test[0]), (test[7], test[8]))
    ]
    found = figures_without_near_duplicates(wrong, CALIBRATION, audit("", *pairs), drawn_dataset, "test")
    assert (found.photos, found.top1) == (len(test) - 1, 1.0)


def test_an_audit_of_other_photos_is_none(drawn_dataset: OxfordFlowers, tiny_bundle: Path, tmp_path: Path) -> None:
    bundle: Bundle = load_bundle(tiny_bundle)
    assert not bundle.has(AUDIT_FILE)
    assert audit_of(drawn_dataset, bundle, tmp_path) is None
