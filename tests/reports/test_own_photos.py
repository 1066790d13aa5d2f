"""The table of trainings on one's own photos, cell by cell, and its record."""

from pathlib import Path

import numpy as np
import pytest

from flowers_core.reports.own_photos import (
    OWN_PHOTOS_FILE,
    OwnPhotosError,
    TrainedOnPhotos,
    interval_of_mean,
    keep_own_photos,
    load_own_photos,
    own_photos_note,
    own_photos_table,
)

OURS = TrainedOnPhotos(3, 30, 61.4, "1" * 8, 1.0)
THEIRS = TrainedOnPhotos(3, 30, 59.6, "11110000", 0.625)


def test_the_difference_is_of_the_same_photos() -> None:
    rows = own_photos_table({"garden": {"keras": THEIRS, "train": OURS}}).splitlines()[2:]
    assert rows[0] == (
        "| garden | 3 | 30 | 8 | `flowers train --photos` | 100.00 (100.00 to 100.00) | — | 100.00 | 61 |"
    )
    # Four of eight right, and so four of eight ahead: the interval of the one mirrors that of the other.
    low, high = interval_of_mean(THEIRS.hits)
    assert rows[1].startswith(
        f"| garden | 3 | 30 | 8 | Keras’ guide | 50.00 ({100 * low:.2f} to {100 * high:.2f}) | +50.00 (+"
    )
    assert rows[1].endswith(" | 62.50 | 60 |")
    assert own_photos_table({}) == ""
    assert "`flowers benchmarks own_photos`" in own_photos_note()


def test_the_interval_is_that_of_the_normal_law_for_many_photos() -> None:
    values = np.repeat([0.0, 1.0], 2000)
    low, high = interval_of_mean(values)
    half = 1.96 * 0.5 / np.sqrt(4000)
    assert low == pytest.approx(0.5 - half, abs=0.002)
    assert high == pytest.approx(0.5 + half, abs=0.002)


def test_results_are_kept_by_data_set_and_method(tmp_path: Path) -> None:
    assert load_own_photos(tmp_path) == {}
    for name, method, found in (
        ("a", "train", THEIRS),
        ("a", "keras", THEIRS),
        ("b", "train", OURS),
        ("a", "train", OURS),
    ):
        keep_own_photos(name, method, found, tmp_path)
    assert load_own_photos(tmp_path) == {"a": {"train": OURS, "keras": THEIRS}, "b": {"train": OURS}}
    (tmp_path / OWN_PHOTOS_FILE).write_text('{"sets": 3}')
    with pytest.raises(OwnPhotosError, match="is no record of trainings"):
        load_own_photos(tmp_path)
