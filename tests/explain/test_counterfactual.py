"""The least exchange on pairs whose answer is known, and against trying all exchanges."""

from itertools import combinations

import numpy as np
import pytest

from flowers_core.explain.counterfactual import least_exchange

BIAS = np.zeros(3)
#: Channel 1 speaks for class 1, channel 2 for class 2, channel 3 for class 3.
HEAD = np.eye(3)


def test_a_pair_that_differs_in_one_corner():
    """Both have three positions that say nothing; the corner says class 1 here and class 2 there."""
    photo = np.full((2, 2, 3), 1.0)
    other = photo.copy()
    photo[0, 1] = 5, 1, 0
    other[1, 0] = 1, 6, 0
    found = least_exchange(photo, other, HEAD, BIAS, 2)
    assert (found.label, found.rival) == (1, 2)
    assert found.pairs == (((0, 1), (1, 0)),)
    # Before (5 + 3)/4 against 1; after 1 against (6 + 3)/4.
    np.testing.assert_allclose(found.gaps, [-1, 1.25])
    np.testing.assert_allclose(found.logits, [1, 2.25, 0.75])


def test_similar_positions_go_together():
    """Two positions say class 1, one of them with much of channel 3; so do the two that replace them."""
    photo, other = np.zeros((1, 4, 3)), np.zeros((1, 4, 3))
    photo[0, 0], photo[0, 1] = (4, 0, 0), (4, 0, 3)
    other[0, 2], other[0, 3] = (0, 5, 4), (0, 5, 0)
    found = least_exchange(photo, other, HEAD, BIAS, 2)
    assert set(found.pairs) == {((0, 0), (0, 3)), ((0, 1), (0, 2))}


@pytest.mark.parametrize("seed", range(5))
def test_no_fewer_replacements_turn_it(seed):
    random = np.random.default_rng(seed)
    photo, other = random.random((2, 3, 4)), random.random((2, 3, 4))
    head = random.normal(size=(4, 2))
    bias = np.zeros(2)
    answers = [int((maps.mean(axis=(0, 1)) @ head).argmax()) for maps in (photo, other)]
    if answers[0] == answers[1]:
        # Of two classes, move the threshold between the two photos.
        gaps = [np.diff(maps.mean(axis=(0, 1)) @ head)[0] for maps in (photo, other)]
        bias = np.array([np.mean(gaps), 0.0])
    rival = int((other.mean(axis=(0, 1)) @ head + bias).argmax()) + 1
    found = least_exchange(photo, other, head, bias, rival)
    count = len(found.pairs)
    assert count >= 1
    flat, replacements = photo.reshape(6, 4), other.reshape(6, 4)

    def answer(out, into):
        changed = flat.copy()
        changed[list(out)] = replacements[list(into)]
        return int((changed.mean(axis=0) @ head + bias).argmax()) + 1

    out, into = zip(*found.pairs, strict=True)
    assert answer((3 * row + column for row, column in out), (3 * row + column for row, column in into)) == rival
    fewer = [
        answer(some, others)
        for some in combinations(range(6), count - 1)
        for others in combinations(range(6), count - 1)
    ]
    assert rival not in fewer


def test_the_gap_closes_by_less_with_each_replacement():
    random = np.random.default_rng(7)
    photo, other = random.random((4, 4, 3)) * (3, 1, 1), random.random((4, 4, 3)) * (1, 3, 1)
    found = least_exchange(photo, other, HEAD, BIAS, 2)
    steps = np.diff(found.gaps)
    assert (steps > 0).all()
    assert (np.diff(steps) <= 0).all()
    assert found.gaps[-2] <= 0 < found.gaps[-1]
    assert found.gaps[-1] == pytest.approx(found.logits[1] - found.logits[0])


def test_a_photo_that_is_the_rival_already_and_one_that_never_becomes_it():
    photo, other = np.zeros((1, 2, 3)), np.zeros((1, 2, 3))
    photo[0, 0, 0], other[0, 0, 1] = 1, 1
    assert least_exchange(other, other, HEAD, BIAS, 2).pairs == ()
    assert least_exchange(photo, other, HEAD, BIAS, 3) is None


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="alike"):
        least_exchange(np.zeros((2, 2, 3)), np.zeros((1, 2, 3)), HEAD, BIAS, 1)
    with pytest.raises(ValueError, match="no label 4"):
        least_exchange(np.zeros((2, 2, 3)), np.zeros((2, 2, 3)), HEAD, BIAS, 4)
