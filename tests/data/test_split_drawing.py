from collections import Counter

import pytest

from flowers_core.data.split_drawing import draw_splits


def counts(splits: list[str]) -> tuple[int, int, int]:
    found = Counter(splits)
    return found["train"], found["validation"], found["test"]


@pytest.mark.parametrize(
    ("photos", "expected"), [(2, (2, 0, 0)), (3, (1, 1, 1)), (5, (3, 1, 1)), (10, (6, 2, 2)), (100, (60, 20, 20))]
)
def test_a_fifth_of_a_class_is_held_out_twice(photos: int, expected: tuple[int, int, int]) -> None:
    assert counts(draw_splits(["rose"] * photos, range(photos), 0).tolist()) == expected


def test_each_class_is_drawn_by_itself_and_by_the_seed() -> None:
    classes = ["rose", "iris"] * 10
    splits = draw_splits(classes, range(20), 3).tolist()
    assert counts(splits[::2]) == counts(splits[1::2]) == (6, 2, 2)
    assert draw_splits(classes, range(20), 3).tolist() == splits
    assert draw_splits(classes, range(20), 4).tolist() != splits


@pytest.mark.parametrize("seed", range(20))
def test_copies_of_a_picture_stay_together(seed: int) -> None:
    pictures = [0, 0, 0, 1, 1, 2, 3, 4, 5, 6]
    splits = draw_splits(["rose"] * 10, pictures, seed).tolist()
    of_picture = {picture: {splits[i] for i in range(10) if pictures[i] == picture} for picture in pictures}
    assert all(len(found) == 1 for found in of_picture.values())
    # Two photos each are held out, and single ones suffice for that.
    assert counts(splits) == (6, 2, 2)
    assert of_picture[0] == of_picture[1] == {"train"}


def test_where_every_picture_has_copies_some_are_held_out_all_the_same() -> None:
    splits = draw_splits(["rose"] * 6, [0, 0, 1, 1, 2, 2], 0).tolist()
    assert counts(splits) == (2, 2, 2)


def test_a_picture_in_two_classes_is_for_training() -> None:
    classes = ["rose"] * 5 + ["iris"] * 5
    for seed in range(10):
        splits = draw_splits(classes, [9, 1, 2, 3, 4, 9, 5, 6, 7, 8], seed).tolist()
        assert (splits[0], splits[5]) == ("train", "train")
        assert counts(splits[:5]) == counts(splits[5:]) == (3, 1, 1)
