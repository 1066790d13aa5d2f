import shutil
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.audit.exact_duplicates import exact_leaks, find_exact_duplicates
from flowers_core.data.oxford import OxfordFlowers
from tests.fixtures.drawn_flowers import draw_dataset


@pytest.fixture
def flowers(tmp_path: Path) -> OxfordFlowers:
    """Two classes of twelve photos, in which a training photo is also a test photo and two test photos are one."""
    drawn = OxfordFlowers(draw_dataset(tmp_path / "data", classes=(5, 6)))
    train, test = drawn.split_ids("train"), drawn.split_ids("test")
    shutil.copy(drawn.path(train[1]), drawn.path(test[0]))
    shutil.copy(drawn.path(test[2]), drawn.path(test[4]))
    return drawn


def test_identical_files_are_grouped(flowers: OxfordFlowers) -> None:
    train, test = flowers.split_ids("train"), flowers.split_ids("test")
    expected = sorted([tuple(sorted((train[1], test[0]))), (test[2], test[4])])
    assert find_exact_duplicates(flowers) == expected


def test_only_twins_in_another_split_count_as_seen_elsewhere(flowers: OxfordFlowers) -> None:
    np.testing.assert_array_equal(exact_leaks(flowers, "test"), flowers.split_ids("test")[:1])
    np.testing.assert_array_equal(exact_leaks(flowers, "train"), flowers.split_ids("train")[1:2])
    assert exact_leaks(flowers, "validation").size == 0


def test_files_of_one_size_but_other_bytes_are_no_twins(tmp_path: Path) -> None:
    drawn = OxfordFlowers(draw_dataset(tmp_path / "data", classes=(5,)))
    content = drawn.path(1).read_bytes()
    drawn.path(2).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert find_exact_duplicates(drawn) == []
