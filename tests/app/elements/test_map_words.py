"""Where a map is strong, in words."""

import numpy as np
import pytest

from app.elements.map_words import map_words
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.explain.explanation import ClassTarget, ContrastTarget, Explanation

TAXONOMY = load_taxonomy()
WHOLE = (0.0, 0.0, 90.0, 90.0)


def said(contributions, box=WHOLE, size=(90, 90), rival: int | None = None) -> str:
    map_ = np.array(contributions, np.float32)
    target = ClassTarget(54) if rival is None else ContrastTarget(54, rival)
    return map_words(
        Explanation(
            method="cam", target=target, contributions=map_, value=float(map_.sum()), unit="logit",
            box=box, photo_size=size, seconds=0.0,
        ),
        TAXONOMY,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("contributions", "words"),
    [
        ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "in the middle"),
        ([[0, 0, 5], [0, 4, 0], [0, 0, 0]], "in the top right"),
        ([[0, 0, 4], [0, 5, 0], [3, 0, 0]], "in the middle and the top right"),
        ([[2, 0, 2], [0, 0, 0], [2, 1, 2]], "in the top left, top right and the bottom left"),
        (np.ones((3, 3)), "all over the photo"),
        ([[-9, 0, 0], [0, 0, 0], [0, 1, 0]], "in the bottom"),
    ],
)
def test_the_fewest_ninths_that_hold_half_are_named(contributions, words: str) -> None:
    assert said(contributions) == f"most of it lies {words}"


def test_where_what_the_model_saw_lies_in_the_photo_counts() -> None:
    # The model saw the right third of a panorama: its left edge is still on the photo's right.
    assert said([[0, 0, 0], [9, 0, 0], [0, 0, 0]], (180.0, 0.0, 270.0, 90.0), (270, 90)).endswith("in the right")


def test_both_sides_of_a_contrast_are_named() -> None:
    words = said([[3, 0, 0], [0, 0, 0], [0, 0, -2]], rival=74)
    assert words == "most of it lies for sunflower in the top left and for rose in the bottom right"


def test_where_nothing_speaks_for_it_nothing_is_said() -> None:
    assert said([[-1, -1], [-1, -1]]) == ""
    assert said(np.zeros((2, 2))) == ""
