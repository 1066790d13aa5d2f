"""Figures on corrupted photos, counted by hand; `tests/scripts` counts them on a network's answers."""

import numpy as np
import pytest

from flowers_core.data.corruptions import CORRUPTIONS
from flowers_core.evaluation.robustness import HIGH_CONFIDENCE, corruption_figures


def test_right_answers_and_high_confidence_errors_are_counted_by_corruption() -> None:
    """Two photos, three classes. All answers are right with logits (0, 0, 9); then two corruptions are spoilt."""
    kinds = list(CORRUPTIONS)
    logits = np.zeros((2, len(kinds), 3), np.float32)
    logits[..., 2] = 9
    labels = np.array([3, 3])
    first, last = 0, len(kinds) - 1
    logits[0, first] = (9, 0, 0)  # wrong with a probability of nearly 1
    logits[1, first] = (1, 0, 0)  # wrong, with e / (e + 2) = 0.58
    logits[1, last] = (9, 0, 0)
    (found,) = corruption_figures({"int8": logits}, labels, temperature=1.0).values()
    answers = 2 * len(kinds)
    assert found.photos == 2
    assert found.mean == pytest.approx((answers - 3) / answers)
    assert found.worst == kinds[first]
    assert found.top1 == {kind: {first: 0.0, last: 0.5}.get(at, 1.0) for at, kind in enumerate(kinds)}
    errors = {first: 0.5, last: 0.5}
    assert found.high_confidence_errors_by_corruption == {kind: errors.get(at, 0.0) for at, kind in enumerate(kinds)}
    assert found.high_confidence_errors == pytest.approx(2 / answers)
    # At a temperature of 9 the same errors have e / (e + 2), which is no high confidence.
    assert np.e / (np.e + 2) < HIGH_CONFIDENCE
    (modest,) = corruption_figures({"int8": logits}, labels, temperature=9.0).values()
    assert modest.high_confidence_errors == 0
