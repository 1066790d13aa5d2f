"""The table of flowers left out of training, cell by cell, and its record."""

from dataclasses import replace
from pathlib import Path

import pytest

from flowers_core.inference.records.confidence import DetectionFigures
from flowers_core.inference.records.near_novelty import NearDraw, NearNoveltyRecord
from flowers_core.reports.near_novelty import (
    NEAR_NOVELTY_FILE,
    NearNoveltyError,
    keep_near_novelty,
    load_near_novelty,
    near_novelty_note,
    near_novelty_table,
)


def _draw(seed: int, auroc: float, fpr: float) -> NearDraw:
    score = DetectionFigures(auroc, auroc - 0.01, auroc + 0.01, fpr, fpr - 0.02, fpr + 0.02)
    return NearDraw(seed, (1, 2), 0.8 + 0.1 * seed, 100 + seed, 50, {"fdbd": score})


RECORD = NearNoveltyRecord("frozen", "efficientnet_lite0", (_draw(0, 0.9, 0.3), _draw(1, 0.94, 0.2)))


def test_the_mean_of_the_draws_stands_before_each() -> None:
    assert near_novelty_table((RECORD,)).splitlines()[2:] == [
        "| frozen | mean of 2 | fDBD (arXiv 2312.11536) | 100 (100 to 101) | 50 (50 to 50) | 85.00 (80.00 to 90.00) "
        "| 92.00 (90.00 to 94.00) | 25.00 (20.00 to 30.00) |",
        "| frozen | 0 | fDBD (arXiv 2312.11536) | 100 | 50 | 80.00 | 90.00 (89.00 to 91.00) | 30.00 (28.00 to 32.00) |",
        "| frozen | 1 | fDBD (arXiv 2312.11536) | 101 | 50 | 90.00 | 94.00 (93.00 to 95.00) | 20.00 (18.00 to 22.00) |",
    ]
    assert near_novelty_table(()) == ""
    assert "efficientnet_lite0 keeps its ImageNet weights" in near_novelty_note((RECORD,))


def test_the_note_says_which_score_validation_chose() -> None:
    def draw(seed: int, fdbd: float, energy: float) -> NearDraw:
        return replace(_draw(seed, 0.9, 0.3), validation={"fdbd": (fdbd, 0.3), "energy": (energy, 0.5)})

    # On the mean over the draws: 0.85 against 0.86.
    record = replace(RECORD, draws=(draw(0, 0.9, 0.88), draw(1, 0.8, 0.84)))
    assert record.chosen == "energy"
    assert "Validation chose *energy (log-sum-exp)* (AUROC 86.00, FPR 50.00 there)." in near_novelty_note((record,))
    assert RECORD.chosen is None
    assert "chose" not in near_novelty_note((RECORD,))


def test_the_note_says_how_each_branch_was_trained() -> None:
    alone = NearNoveltyRecord("trained", "flowers train a", RECORD.draws)
    assert "trained as by `flowers train a`." in near_novelty_note((alone,))
    both = NearNoveltyRecord("trained", "flowers train a", RECORD.draws, ("flowers train b",))
    assert "trained as by `flowers train a`, with another branch as by `flowers train b`." in near_novelty_note((both,))


def test_records_are_kept_by_protocol(tmp_path: Path) -> None:
    assert load_near_novelty(tmp_path) == ()
    trained = NearNoveltyRecord("trained", "flowers train", (_draw(3, 0.95, 0.1),), ("flowers train",))
    for record in (RECORD, trained, RECORD):
        keep_near_novelty(record, tmp_path)
    assert load_near_novelty(tmp_path) == (RECORD, trained)
    (tmp_path / NEAR_NOVELTY_FILE).write_text('{"protocols": 3}')
    with pytest.raises(NearNoveltyError, match="is no record of near novelty"):
        load_near_novelty(tmp_path)
