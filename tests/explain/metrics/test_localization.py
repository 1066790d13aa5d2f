"""Relevance mass and rank accuracy by hand."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget, Explanation
from flowers_core.explain.metrics.localization import localize, rank_accuracy


def explanation(contributions, box, size) -> Explanation:
    return Explanation("any", ClassTarget(1), np.asarray(contributions, np.float32), 0.0, "logit", box, size, 0.0)


def test_share_by_hand():
    """A photo of 8 × 4 of which the model sees the middle 4 × 4."""
    mask = np.zeros((4, 8), bool)
    mask[:, :4] = True  # the left half of the photo, and of what is seen
    cells = np.array([[3.0, 1.0, -5.0, 0.0]] * 4)
    found = localize(explanation(cells, (2.0, 0.0, 6.0, 4.0), (8, 4)), mask)
    assert found.mass == pytest.approx(1.0)
    assert found.area == pytest.approx(0.5)
    assert found.ratio == pytest.approx(2.0)
    flat = localize(explanation(np.ones((4, 4)), (2.0, 0.0, 6.0, 4.0), (8, 4)), mask)
    assert flat.ratio == pytest.approx(1.0)
    away = localize(explanation(cells[:, ::-1], (2.0, 0.0, 6.0, 4.0), (8, 4)), mask)
    assert away.mass == 0


def test_rank_accuracy_by_hand():
    """Of what the model sees the flower is the left half, 8 pixels of 16."""
    mask = np.zeros((4, 8), bool)
    mask[:, :4] = True
    frame = ((2.0, 0.0, 6.0, 4.0), (8, 4))
    heat = np.array([[4.0, 3.0, -1.0, -2.0]] * 4)
    assert rank_accuracy(explanation(heat, *frame), mask) == 1
    assert rank_accuracy(explanation(heat[:, ::-1], *frame), mask) == 0
    heat[0] = heat[0, ::-1]  # the brightest two of one row lie beside the flower
    assert rank_accuracy(explanation(heat, *frame), mask) == pytest.approx(6 / 8)
    assert rank_accuracy(explanation(heat, *frame), np.zeros((4, 8), bool)) is None


def test_nothing_to_share_is_none_and_sizes_must_fit():
    mask = np.zeros((4, 8), bool)
    mask[:, 7] = True  # outside what the model saw
    frame = ((2.0, 0.0, 6.0, 4.0), (8, 4))
    assert localize(explanation(np.ones((4, 4)), *frame), mask) is None
    assert localize(explanation(-np.ones((4, 4)), *frame), ~mask) is None
    with pytest.raises(ValueError, match="does not fit"):
        localize(explanation(np.ones((4, 4)), *frame), mask[:, :6])
