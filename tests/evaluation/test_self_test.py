"""The draw of a person's test, and its score against Wilson's formula worked out by hand."""

import numpy as np
import pytest

from flowers_core.evaluation.predictions import Predictions, PredictionsError
from flowers_core.evaluation.self_test import Share, Trial, draw_trials, judged_rightly


def _predictions(right: int, wrong: int) -> Predictions:
    labels = np.ones(right + wrong, np.int64)
    logits = np.zeros((right + wrong, 3), np.float32)
    logits[:right, 0] = 1
    logits[right:, 2] = 1
    return Predictions(np.arange(1, right + wrong + 1), labels, logits)


def test_half_are_wrong_and_half_of_either_kind_are_explained() -> None:
    trials = draw_trials(_predictions(30, 9), seed=3)
    assert len({trial.photo_id for trial in trials}) == 12
    for right in (True, False):
        explained = [trial.explained for trial in trials if trial.right == right]
        assert (len(explained), sum(explained)) == (6, 3)
    assert {trial.predicted for trial in trials if not trial.right} == {3}
    assert trials == draw_trials(_predictions(30, 9), seed=3)
    assert trials != draw_trials(_predictions(30, 9), seed=4)


def test_too_few_mistakes_are_said_in_a_sentence() -> None:
    with pytest.raises(PredictionsError, match="6 right and as many wrong"):
        draw_trials(_predictions(30, 5), seed=0)
    with pytest.raises(ValueError, match="divisible by 4"):
        draw_trials(_predictions(30, 9), seed=0, photos=10)


def test_what_was_judged_rightly_with_and_without() -> None:
    trials = [Trial(1, 1, 1, True), Trial(2, 1, 3, True), Trial(3, 1, 1, False), Trial(4, 1, 3, False)]
    said_right = [True, False, False, True]
    assert judged_rightly(trials, said_right, explained=True) == (Share(2, 2), Share(1, 1))
    assert judged_rightly(trials, said_right, explained=False) == (Share(0, 2), Share(0, 1))


def test_the_interval_is_wilson_s() -> None:
    # 5 of 6 at z = 1.96: centre (5/6 + 0.6403/2) / 1.6403, half width 1.96 / 1.6403 · √(5/216 + 0.6403/24).
    low, high = Share(5, 6).interval
    assert (low, high) == pytest.approx((0.4365, 0.9699), abs=2e-4)
    assert Share(0, 3).interval[0] == 0
    assert Share(3, 3).interval[1] == 1
    assert Share(0, 0).interval == (0, 1)
